#!/bin/sh
NAME=cluster-ingress-operator
VERSION=1.0.0
USAGE="[NAMESPACE]"
answer_common_flags "$@"
# Reports what it was told to run; a real one would now reconcile.
echo "$NAME: release ${RELEASE_VERSION:-unknown}"
env | sed -n 's/^\([A-Z_]*_IMAGE\)=/operand \1 /p' | sort
