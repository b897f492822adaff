#!/bin/sh
# Writes a root file system to standard output: busybox, its applets, and the folders they expect.
set -eu
umask 022
busybox=$(command -v busybox) || { echo "busybox is not installed: run make setup" >&2; exit 1; }
case $(ldd "$busybox" 2>&1 || true) in
*"not a dynamic executable"* | *"statically linked"*) ;;
*) echo "$busybox is not static: install the package busybox-static" >&2; exit 1 ;;
esac
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
cd "$root"
mkdir -p bin dev etc proc root run sbin sys tmp usr/bin usr/local/bin usr/sbin var/www
chmod 0755 . && chmod 0700 root && chmod 1777 tmp
cp "$busybox" bin/busybox
chmod 0755 bin/busybox
"$busybox" --list | while read -r applet; do
    [ "$applet" = busybox ] || ln -s busybox "bin/$applet"
done
echo 'root:x:0:0:root:/root:/bin/sh' >etc/passwd
echo 'root:x:0:' >etc/group
exec 3>&1
tar --numeric-owner --owner 0 --group 0 -cf - . >&3
