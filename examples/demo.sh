#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The main job, for real: builds the quickstart stream, changes one component, publishes both
# releases to a registry on this machine and reads them back from there with another tool.
#
#   examples/demo.sh [FOLDER]     keeps everything it makes in FOLDER, by default .demo
set -eu
cd "$(dirname "$0")/.."
folder=$(realpath -m "${1:-.demo}")
stream=examples/quickstart/stream.yaml
rm -rf "$folder"
mkdir -p "$folder"
export OKD_PAYLOAD_STATE="$folder/state" OKD_PAYLOAD_CACHE="$folder/cache"
PATH="$PWD/.venv/bin:$PATH"
releases="$OKD_PAYLOAD_STATE/streams/quickstart/releases"

step() {
  printf '\n\033[1m== %s\033[0m\n' "$*"
}

# What `build -o json` says of the release: name, digest or reference.
told() { # FILE FIELD
  python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["release"][sys.argv[2]])' "$@"
}

counted() { # FILE
  python3 -c '
import collections, json, sys
actions = collections.Counter(item["action"] for item in json.load(open(sys.argv[1]))["components"])
print(", ".join(f"{count} {action}" for action, count in sorted(actions.items())))' "$1"
}

step "Build every component from source and make a release of them"
okd-payload build "$stream" --report "$folder/report" -o json >"$folder/first.json"
first=$(told "$folder/first.json" name)
counted "$folder/first.json"

step "What is in the release"
okd-payload release info "oci:$releases:$first"

step "Build again: nothing changed, so nothing is built"
okd-payload build "$stream" -o json >"$folder/second.json"
counted "$folder/second.json"
[ "$(told "$folder/second.json" digest)" = "$(told "$folder/first.json" digest)" ]

step "Change one component, and build a release with it on top of the first"
cp -r examples/quickstart/sources/coredns "$folder/coredns"
sed -i 's/^VERSION=.*/VERSION=1.0.1/' "$folder/coredns/cmd/coredns.sh"
okd-payload build "$stream" --from-release "oci:$releases:$first" \
  --component coredns="$folder/coredns" --report "$folder/report-change" -o json >"$folder/change.json"
change=$(told "$folder/change.json" name)
counted "$folder/change.json"

step "Publish both to a registry on this machine"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >"$folder/registry.yaml" <<EOF
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $folder/registry}}
http: {addr: 127.0.0.1:$port}
EOF
docker-registry serve "$folder/registry.yaml" >"$folder/registry.log" 2>&1 &
registry=$!
trap 'kill "$registry" 2>/dev/null; wait "$registry" 2>/dev/null || true' EXIT
for release in "$first" "$change"; do
  okd-payload publish "$stream" "$release" \
    --content "127.0.0.1:$port/quickstart/content" --releases "127.0.0.1:$port/quickstart/release"
done

step "Read them back from the registry with skopeo"
for run in first change; do
  release=$(told "$folder/$run.json" name)
  found=$(skopeo inspect --tls-verify=false --format '{{.Digest}}' \
    "docker://127.0.0.1:$port/quickstart/release:$release")
  printf '%s\n  built     %s\n  published %s\n' "$release" "$(told "$folder/$run.json" digest)" "$found"
  [ "$found" = "$(told "$folder/$run.json" digest)" ]
  skopeo copy --quiet --src-tls-verify=false \
    "docker://127.0.0.1:$port/quickstart/release:$release" "dir:$folder/copied-$run"
done

step "Done"
echo "Reports: $folder/report/report.html and $folder/report-change/report.html"
