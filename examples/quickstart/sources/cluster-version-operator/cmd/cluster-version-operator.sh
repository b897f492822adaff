#!/bin/sh
NAME=cluster-version-operator
VERSION=1.0.0
USAGE="image NAME | list"
answer_common_flags "$@"
payload=${PAYLOAD:-}
case "${1:-}" in
image)
    # The pull spec of a tag, as the installer's bootstrap asks for it.
    found=$(sed -n '/"name": "'"${2:?name}"'"/,/"name": "[^"]*@/p' "$payload/release-manifests/image-references" |
        sed -n 's/.*"name": "\(.*@.*\)".*/\1/p' | head -n 1)
    [ -n "$found" ] || { echo "no image tag \"$2\" exists in the release" >&2; exit 1; }
    echo "$found"
    ;;
list)
    # Every manifest in the order in which a cluster reads it: its own first.
    for folder in manifests release-manifests; do
        ls "$payload/$folder" | grep -E '[.](ya?ml|json)$' | LC_ALL=C sort | sed "s|^|$folder/|"
    done
    ;;
*)
    echo "$NAME: unknown command ${1:-}" >&2
    exit 1
    ;;
esac
