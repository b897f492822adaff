#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Writes the system of the image to standard output, as a tar archive: Debian's smallest root file
# system, Python, and the programs that okd-payload runs. What nobody calls there is taken out
# again: documentation, translations, and the parts of git that are written in Perl.
#
# Packages come from where this machine itself gets Debian's, if it runs the same Debian; on other
# machines from the archive that mmdebstrap knows. Root and ordinary users get the same bytes.
set -eu
suite=bookworm
# Debian has other names for some machines than images have.
case ${TARGETARCH:-} in
'') machine=native ;;
386) machine=i386 ;;
arm) machine=armhf ;;
ppc64le) machine=ppc64el ;;
*) machine=$TARGETARCH ;;
esac
packages=buildah,busybox-static,ca-certificates,fuse-overlayfs,git,gpg,gpg-agent,iproute2
packages=$packages,libcap2-bin,python3,uidmap
unneeded='fuse3 git-man libcap2-bin liberror-perl libperl5.36 perl perl-modules-5.36 pinentry-curses'

# For ordinary users buildah makes them root among their own files: mmdebstrap could do that too,
# but could then not work in folders that are open to their owner only.
[ "$(id -u)" -eq 0 ] || exec buildah unshare "$0"

command -v mmdebstrap >/dev/null || {
  echo "mmdebstrap is not installed: run make setup" >&2
  exit 1
}
archive=$(apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' \
  'Created-By: Packages' 'Origin: Debian' 'Component: main' 2>/dev/null |
  grep -E " $suite(-updates|-security)? " | sort -u) || archive=

set -- --architectures="$machine" --variant=minbase --include="$packages" \
  --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' \
  --aptopt='APT::Sandbox::User "root"' --dpkgopt=force-unsafe-io
for folder in doc info lintian locale man; do
  set -- "$@" --dpkgopt="path-exclude=/usr/share/$folder/*"
done
set -- "$@" --dpkgopt='path-include=/usr/share/doc/*/copyright'

# What gives a user namespace its ids does so by a capability: as set-user-id programs they would
# need CAP_SYS_ADMIN. No other program makes anybody more than they are.
set -- "$@" --customize-hook='find "$1" -xdev -type f -perm /6000 -exec chmod ug-s {} +
  chroot "$1" setcap cap_setuid+ep /usr/bin/newuidmap
  chroot "$1" setcap cap_setgid+ep /usr/bin/newgidmap'
set -- "$@" --customize-hook="chroot \"\$1\" dpkg --purge --force-depends $unneeded >&2"
# Modules are compiled so that they count as fresh whatever time their source has.
set -- "$@" --customize-hook='find "$1/usr/lib/python3" "$1/usr/lib/python3.11" \
    -name __pycache__ -exec rm -rf {} +
  chroot "$1" env PYTHONHASHSEED=0 python3 -m compileall -q --invalidation-mode unchecked-hash \
    /usr/lib/python3.11'
# Every container gets these three files from outside.
set -- "$@" --customize-hook='cd "$1/etc" && rm -f hostname resolv.conf && touch hostname hosts resolv.conf'
# What would differ from run to run.
set -- "$@" --customize-hook='cd "$1" && rm -rf etc/*- var/cache/debconf/*-old var/lib/dpkg/*-old \
  var/cache/ldconfig/aux-cache var/log/apt var/log/*.log run/*'

if [ -n "$archive" ]; then
  printf '%s\n' "$archive" | mmdebstrap "$@" "$suite" - -
else
  mmdebstrap "$@" "$suite" -
fi
