#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Runs every image of the newest release of this stream, one line for each, as a cluster would get
# it: published to a registry, pulled by digest. Then the release is applied to an API server.
#
#   examples/debian/check.sh        builds first what is not built yet
#
# OKD_PAYLOAD_STATE and OKD_PAYLOAD_CACHE say where things are kept, as for okd-payload itself.
set -eu
cd "$(dirname "$0")/../.."
PATH="$PWD/.venv/bin:$PATH"
stream=examples/debian
state=${OKD_PAYLOAD_STATE:-${XDG_STATE_HOME:-$HOME/.local/state}/okd-payload}
folder=$(mktemp -d "${TMPDIR:-/var/tmp}/okd-payload-check.XXXXXX")
registry='' checked='' failed=''

buildah() {
  command buildah --root "$folder/storage" --runroot "$folder/run" "$@"
}

clean() {
  [ -z "$registry" ] || kill "$registry" 2>/dev/null || true
  buildah rm --all >/dev/null 2>&1 || true
  buildah rmi --all --force >/dev/null 2>&1 || true
  rm -rf "$folder"
}

# --- where images come from --------------------------------------------------------------------

start_registry() {
  cat >"$folder/registry.yaml" <<EOF
version: 0.1
log: {level: info, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $folder/registry}}
http: {addr: 127.0.0.1:0}
EOF
  docker-registry serve "$folder/registry.yaml" >"$folder/registry.log" 2>&1 &
  registry=$!
  while host=$(sed -n 's/.*listening on \(127\.0\.0\.1:[0-9]*\).*/\1/p' "$folder/registry.log") &&
    [ -z "$host" ]; do
    kill -0 "$registry" || { cat "$folder/registry.log" >&2; exit 1; }
    sleep 0.1
  done
}

pull() { # CONTAINER IMAGE
  buildah from --quiet --tls-verify=false --name "$1" "docker://$host/debian/$2" >/dev/null
}

# --- what is done with them --------------------------------------------------------------------

# Sets said to what the command prints. It prints into a mounted file, because buildah now and then
# loses the last words of a program that ends at once.
run() { # CONTAINER COMMAND...
  container=$1
  shift
  : >"$folder/said"
  chmod 0666 "$folder/said"
  code=0
  buildah run --isolation chroot -v "$folder/said:/said" "$container" -- \
    sh -c 'exec "$@" >/said 2>&1' sh "$@" 2>/dev/null || code=$?
  said=$(cat "$folder/said")
  return "$code"
}

check() { # CONTAINER PATTERN COMMAND...
  container=$1 pattern=$2
  shift 2
  checked="$checked $container"
  if run "$container" "$@" && line=$(printf '%s\n' "$said" | grep -m 1 -E -- "$pattern"); then
    printf 'ok      %-34s %s\n' "$container" "$line"
  else
    failed=yes
    printf 'FAILED  %-34s %s\n%s\n' "$container" "$*" "$said"
  fi
}

# With the images that its deployment in the payload hands over.
check_operator() { # OPERATOR
  run release sh -c "cat /release-manifests/*_$1_02_deployment.yaml"
  images_of=$(printf '%s\n' "$said" | sed -n '/name: [A-Z_]*_IMAGE$/{s/.*name: //;N;s/\n *value: /=/;p}')
  # shellcheck disable=SC2086 # each line is a word
  check "$1" "^$1 4\." env $images_of sh -c \
    'operator --version && operator --render >/tmp/rendered && grep -q "^kind: ClusterOperator" /tmp/rendered'
}

trap clean EXIT
trap 'exit 130' INT TERM
buildah info >/dev/null 2>&1 || export STORAGE_DRIVER=vfs

okd-payload build "$stream" --output json >"$folder/built.json"
name=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["release"]["name"])' "$folder/built.json")
images=$(python3 -c 'import json, sys
for image in json.load(open(sys.argv[1]))["release"]["images"]:
    print(image["name"] + "=" + image["reference"].partition("@")[2])' "$folder/built.json")
start_registry
okd-payload publish "$stream" "$name" --quiet \
  --content "$host/debian/content" --releases "$host/debian/release" >/dev/null
okd-payload copy "oci:$state/streams/debian/images:builder" "$host/debian/builder:newest" --quiet >/dev/null
pull release "release:$name"
pull builder builder:newest
buildah copy --quiet builder "$stream/sources" /go/src/github.com/openshift >/dev/null
for image in $images; do pull "${image%%=*}" "content@${image#*=}"; done

printf 'Release %s\n' "$name"
okd-payload release lint --quiet "oci:$state/streams/debian/releases:$name" \
  --content "oci:$state/streams/debian/images" >"$folder/lint" || { failed=yes; cat "$folder/lint"; }
check release "^cluster-version-operator $name$" sh -c 'cluster-version-operator version &&
  cluster-version-operator image etcd | grep -q @sha256: &&
  cluster-version-operator render --release-image example.org/r | grep -q "image: .example.org/r"'
check etcd '^etcd Version' sh -c 'etcd --version && etcdctl version'
check haproxy-router '^HAProxy version' sh -c 'haproxy -v && haproxy -c -f /etc/haproxy/haproxy.cfg'
check keepalived-ipfailover '^Keepalived v' keepalived --version
check prometheus '^prometheus, version' sh -c 'prometheus --version && promtool --version'
check prometheus-alertmanager '^alertmanager, version' prometheus-alertmanager --version
check prometheus-node-exporter '^node_exporter, version' prometheus-node-exporter --version
check docker-registry 'docker/distribution' sh -c 'docker-registry --version &&
  mkdir -p /var/lib/docker-registry/docker/registry/v2/repositories \
    /var/lib/docker-registry/docker/registry/v2/blobs &&
  docker-registry garbage-collect --dry-run /etc/docker/registry/config.yml'
check cli '^Client Version' kubectl version --client --short
check machine-os-content '^commit ' sh -c 'ostree --repo=/srv/repo fsck --quiet &&
  ostree --repo=/srv/repo log okd/debian'
check telemeter '^12\.' cat /etc/debian_version
check cluster-version-operator '^usage: ' cluster-version-operator --help
for operator in cluster-etcd-operator cluster-image-registry-operator cluster-ingress-operator \
  cluster-monitoring-operator machine-config-operator; do
  check_operator "$operator"
done
for source in operators cluster-version-operator; do
  check builder '^ok ' make -C "/go/src/github.com/openshift/$source" test
done
for image in $images; do
  case " $checked " in
    *" ${image%%=*} "*) ;;
    *) failed=yes && printf 'FAILED  %-34s nothing is known about this image\n' "${image%%=*}" ;;
  esac
done

if [ -x .venv/bin/pytest ]; then
  OKD_PAYLOAD_STATE=$state pytest -q -m debian tests/examples || failed=yes
fi
test -z "$failed"
