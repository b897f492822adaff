#!/bin/sh
NAME=oc
VERSION=4.20.0
USAGE="COMMAND"
answer_common_flags "$@"
echo "$NAME: this client only knows its version; the debian example ships a real one" >&2
exit 1
