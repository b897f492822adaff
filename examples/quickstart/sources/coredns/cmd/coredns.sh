#!/bin/sh
NAME=coredns
VERSION=1.0.0
USAGE="HOSTS"
answer_common_flags "$@"
# Answers names from a hosts file: the busybox daemon does the work.
exec dnsd -v -c "${1:-/etc/hosts.dns}"
