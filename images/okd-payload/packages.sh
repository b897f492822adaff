#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Writes the Python packages of an image to standard output, as a tar archive: what a file of
# requirements/ pins, every file of it checked by hash.
#
#   packages.sh SHA256 [FILE]     the hash of that file, image.txt by default: an import is known
#                                 by its command, so that the hash is there for other pins to be
#                                 another import
#
# They are for the Python of the image, whichever one this machine has, and come from where this
# machine gets Python packages.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
pins=$root/requirements/${2:-image.txt}
printf '%s  %s\n' "$1" "$pins" | sha256sum --check --status || {
  echo "stream.yaml names other pins than ${pins##*/} has: run make pins" >&2
  exit 1
}
python=$root/.venv/bin/python
[ -x "$python" ] || python=python3

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=usr/local/lib/python3.11/dist-packages
umask 022
mkdir -p "$folder/$packages"

# Debian 12 has glibc 2.36, and runs what was made for any older one.
case ${TARGETARCH:-} in
'') machine=$(uname -m) ;;
amd64) machine=x86_64 ;;
arm64) machine=aarch64 ;;
*) machine=$TARGETARCH ;;
esac
set -- --platform "manylinux1_$machine" --platform "manylinux2010_$machine" \
  --platform "manylinux2014_$machine"
minor=5
while [ "$minor" -le 36 ]; do
  set -- "$@" --platform "manylinux_2_${minor}_$machine"
  minor=$((minor + 1))
done
"$python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
  --only-binary :all: --implementation cp --python-version 3.11 "$@" \
  --no-compile --target "$folder/$packages" --requirement "$pins" >&2

# Commands of packages serve nobody here, and how a package was installed is this machine's affair.
rm -rf "$folder/$packages/bin"
find "$folder/$packages" -path '*.dist-info/*' \
  \( -name RECORD -o -name INSTALLER -o -name REQUESTED -o -name direct_url.json \) -delete
find "$folder/$packages" -type d -name tests -prune -exec rm -rf {} +
tar --sort=name --numeric-owner --owner 0 --group 0 -C "$folder" -cf - .
