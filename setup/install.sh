#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Installs what this repository needs, and nothing that is there already:
#   1. missing programs, with the distribution's own package manager (apt-get or dnf);
#   2. the folder .venv: every Python package pinned by hash, and the command okd-payload.
#
#   setup/install.sh            do it, saying each command
#   setup/install.sh --print    only say what would be done
#
# Which programs and packages these are is written in src/okd_payload/machine/*.tsv. Only the shell
# itself decides here, because on a fresh machine there may be nothing else. OS_RELEASE names
# another file than /etc/os-release.
set -eu
cd "$(dirname "$0")/.."

programs=src/okd_payload/machine/programs.tsv
packages=src/okd_payload/machine/packages.tsv
pins=requirements/development.txt
stamp=.venv/setup.stamp
no_cluster=/etc/postgresql-common/createcluster.d/okd-payload.conf
modern='import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))'
tab=$(printf '\t')
dry=
[ "${1-}" != --print ] || dry=yes

say() { printf 'setup: %s\n' "$*"; }

fail() {
  printf 'setup: %s\n' "$@" >&2
  exit 1
}

run() {
  say "$*"
  [ -n "$dry" ] || "$@"
}

# --- what kind of machine this is --------------------------------------------------------------

# Sets families: the names to look up in packages.tsv, the closest first.
read_distribution() {
  id='' like='' version='' families=''
  while IFS='=' read -r key value || [ -n "$key" ]; do
    value=${value#[\"\']}
    value=${value%[\"\']}
    case $key in
      ID) id=$value ;;
      ID_LIKE) like=$value ;;
      VERSION_ID) version=$value ;;
    esac
  done <"${OS_RELEASE:-/etc/os-release}"
  for name in $id $like; do
    families="$families $name-$version $name-${version%%.*} $name"
  done
}

# Sets refresh, install and the function offers for this machine's package manager.
choose_manager() {
  case "$families " in
    *' debian '*)
      refresh='apt-get -qq update'
      install='apt-get -qq install -y --no-install-recommends -o DPkg::Lock::Timeout=300'
      export DEBIAN_FRONTEND=noninteractive
      offers() { apt-cache show --no-all-versions "$1" >/dev/null 2>&1; }
      ;;
    *' fedora '*)
      refresh='dnf -q makecache'
      install='dnf -q install -y --setopt=install_weak_deps=False'
      offers() { dnf -q list "$1" >/dev/null 2>&1; }
      ;;
    *)
      fail "this script knows Debian, Ubuntu, Fedora and CentOS Stream, not '$id'" \
        "install by hand:$missing, then run it again"
      ;;
  esac
}

# Sets become_root to the command, possibly none, that runs another one as root.
choose_root() {
  become_root=
  [ "$(id -u)" -ne 0 ] || return 0
  become_root='sudo -n'
  $become_root true 2>/dev/null
}

packages_of() { # PROGRAM
  for family in $families; do
    while IFS=$tab read -r distribution program names; do
      if [ "$distribution $program" = "$family $1" ]; then
        printf '%s\n' "$names"
        return
      fi
    done <"$packages"
  done
  printf '%s\n' "$1"
}

# --- what is missing ---------------------------------------------------------------------------

is_there() { # NAMES NEEDS
  separators=$IFS
  IFS='|'
  for name in $1; do
    IFS=$separators
    if command -v "$name" >/dev/null; then
      [ "$2" != static ] || ! ldd "$(command -v "$name")" >/dev/null 2>&1
      return
    fi
  done
  IFS=$separators
  return 1
}

find_python() {
  for name in python3.14 python3.13 python3.12 python3.11 python3; do
    if "$name" -c "$modern" 2>/dev/null; then
      printf '%s\n' "$name"
      return
    fi
  done
  return 1
}

# Sets missing: the programs of this machine that are not there.
find_missing() {
  missing=
  while IFS=$tab read -r names needs _; do
    case $names in '#'*) continue ;; esac
    is_there "$names" "$needs" || missing="$missing ${names%%|*}"
  done <"$programs"
  [ -x .venv/bin/python ] || find_python >/dev/null || missing="$missing python3"
}

part_of() { # PROGRAM
  while IFS=$tab read -r names _ part _; do
    case $names in "$1" | "$1|"*) printf '%s\n' "$part" ;; esac
  done <"$programs"
  [ "$1" != python3 ] || echo everything
}

# --- what is done about it ---------------------------------------------------------------------

# Sets wanted: the packages that bring what is missing, as far as the distribution has them.
choose_packages() {
  wanted='' without=''
  for program in $missing; do
    found=$(packages_of "$program")
    for package in $found; do
      offers "$package" || found=
    done
    if [ -n "$found" ]; then wanted="$wanted $found"; else without="$without $program"; fi
  done
}

explain_without() {
  for program in $without; do
    say "this distribution has no package '$(packages_of "$program")': $program stays away," \
      "and with it: $(part_of "$program")"
  done
}

# Debian makes a database with every server that it installs, and starts it on PostgreSQL's own
# port; tests start theirs when they need them. What says no to that goes again: it is not for the
# next server that somebody installs here.
# shellcheck disable=SC2086 # the commands and the packages are several words each
install_postgresql() {
  run $become_root install -D -m 0644 setup/no-cluster.conf "$no_cluster"
  run $become_root $install $wanted || {
    run $become_root rm -f "$no_cluster"
    fail 'the packages could not be installed'
  }
  run $become_root rm -f "$no_cluster"
}

# shellcheck disable=SC2086 # the commands and the packages are several words each
install_programs() {
  say "missing:$missing"
  choose_manager
  if ! choose_root; then
    choose_packages
    # Nothing known at all means that the lists of packages were never fetched.
    [ -n "$wanted" ] || for program in $missing; do wanted="$wanted $(packages_of "$program")"; done
    fail "this needs root, and sudo asks for a password. Run, then try again:" \
      "  sudo sh -c '$refresh; $install$wanted'"
  fi
  run $become_root $refresh || say 'some lists of packages could not be refreshed, going on'
  choose_packages
  explain_without
  [ -n "$wanted" ] || return 0
  case "$install $wanted " in
    apt-get*' postgresql '*) install_postgresql ;;
    *) run $become_root $install $wanted ;;
  esac
  # Debian starts it on all addresses as soon as it is there; ours are started when needed.
  case $wanted in
    *docker-registry*)
      [ ! -d /run/systemd/system ] || run $become_root systemctl disable --now docker-registry
      ;;
  esac
}

install_environment() {
  if ! .venv/bin/python -c "$modern" 2>/dev/null || ! .venv/bin/pip --version >/dev/null 2>&1; then
    python=$(find_python) || fail 'no Python 3.11 or newer with its venv module was found' \
      'install one, for instance from the backports of this distribution, and run this again'
    run "$python" -m venv --clear .venv
  fi
  # The pins are complete. Left to resolve them again, some versions of pip come upon a newer
  # release than the pinned one through an extra (coverage[toml]), and refuse it as not pinned.
  set -- .venv/bin/python -m pip --quiet --disable-pip-version-check install --no-deps
  run "$@" --require-hashes --requirement "$pins"
  run "$@" --no-build-isolation --editable .
}

# What the result depends on: where we are, the files that decide, and what is missing.
describe_state() {
  printf '%s\n' "$PWD" "$missing"
  cksum setup/install.sh "$pins" "$programs" "$packages" pyproject.toml
}

read_distribution
find_missing
if [ -x .venv/bin/okd-payload ] && .venv/bin/python -c '' 2>/dev/null && [ -f "$stamp" ] &&
  [ "$(describe_state)" = "$(cat "$stamp")" ]; then
  exit 0
fi
[ -z "$missing" ] || install_programs
install_environment
find_missing
[ -z "$dry" ] || exit 0
describe_state >"$stamp"
say "ready: .venv/bin/okd-payload${missing:+ (without$missing)}"
