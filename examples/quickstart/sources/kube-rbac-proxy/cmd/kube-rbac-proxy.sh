#!/bin/sh
NAME=kube-rbac-proxy
VERSION=1.0.0
USAGE="UPSTREAM"
answer_common_flags "$@"
echo "$NAME: forwarding to ${1:?upstream}"
exec nc -lk -p 8443 -e nc "${1%:*}" "${1#*:}"
