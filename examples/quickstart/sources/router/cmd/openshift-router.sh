#!/bin/sh
NAME=openshift-router
VERSION=1.0.0
USAGE="FOLDER"
answer_common_flags "$@"
# Serves a folder over http: the base image brings the server and its configuration.
exec httpd -f -p 8080 -c /etc/router/httpd.conf -h "${1:-/var/www}"
