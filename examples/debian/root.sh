#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Writes Debian's smallest root file system to standard output, as a tar archive.
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

# For ordinary users buildah makes them root among their own files: mmdebstrap could do that too, but
# could then not work in folders that are open to their owner only.
[ "$(id -u)" -eq 0 ] || exec buildah unshare "$0"

command -v mmdebstrap >/dev/null || {
  echo "mmdebstrap is not installed: run make setup" >&2
  exit 1
}
archive=$(apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' \
  'Created-By: Packages' 'Origin: Debian' 'Component: main' 2>/dev/null |
  grep -E " $suite(-updates|-security)? " | sort -u) || archive=

# What is set here holds in every image that stands on the result: no documentation, no
# translations, no recommended packages, and no other user for downloads, whom not every container
# can have. Nobody needs an image that survives a power cut while it is made, so dpkg does not wait
# for the disk.
set -- --architectures="$machine" --variant=minbase --include=ca-certificates \
  --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' \
  --aptopt='APT::Sandbox::User "root"' \
  --dpkgopt=force-unsafe-io \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
  --dpkgopt='path-exclude=/usr/share/info/*' --dpkgopt='path-exclude=/usr/share/lintian/*' \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright'
# Every container gets these three files from outside. They are there, and empty, so that no layer
# has to make them.
set -- "$@" --customize-hook='cd "$1/etc" && rm -f hostname resolv.conf && touch hostname hosts resolv.conf'
# The same that install-packages leaves behind.
set -- "$@" --customize-hook='cd "$1" && rm -rf etc/*- var/cache/debconf/*-old var/lib/dpkg/*-old \
  var/cache/ldconfig/aux-cache var/log/apt var/log/*.log'

if [ -n "$archive" ]; then
  printf '%s\n' "$archive" | mmdebstrap "$@" "$suite" - -
else
  mmdebstrap "$@" "$suite" -
fi
