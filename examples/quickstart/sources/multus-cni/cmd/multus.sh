#!/bin/sh
NAME=multus
VERSION=1.0.0
USAGE="< CONFIG"
answer_common_flags "$@"
# The container network interface asks a plugin for its versions on standard input.
echo '{"cniVersion": "1.0.0", "supportedVersions": ["0.4.0", "1.0.0"]}'
