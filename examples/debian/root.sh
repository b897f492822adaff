#!/bin/sh
# Writes the root file system of the stream's own operating system to standard output.
# Packages come from the archive that this machine itself uses, when it runs the same release.
set -eu
suite=bookworm
command -v mmdebstrap >/dev/null || { echo "mmdebstrap is not installed: run make setup" >&2; exit 1; }

archive=$(mktemp)
trap 'rm -f "$archive"' EXIT
. /etc/os-release
if [ "${ID:-}" = debian ] && [ "${VERSION_CODENAME:-}" = "$suite" ]; then
    cat /etc/apt/sources.list.d/*.sources >"$archive" 2>/dev/null || cat /etc/apt/sources.list >"$archive"
fi

set -- --variant=minbase --include=ca-certificates \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --customize-hook='rm -f "$1/etc/hostname" "$1/etc/resolv.conf"; : >"$1/etc/hostname"' \
    "$suite" -
if [ -s "$archive" ]; then
    mmdebstrap "$@" - <"$archive"
else
    mmdebstrap "$@"
fi
