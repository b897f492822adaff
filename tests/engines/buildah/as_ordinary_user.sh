#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# as_ordinary_user.sh FOLDER PYTHON_HOME COMMAND...: run COMMAND as a user whom the machine does
# not know: in a mount namespace with other lists of users and subordinate ids. PYTHON_HOME is made
# visible when it lies in root's home.
set -eu
folder=$1 python_home=$2
shift 2
user=23456
printf 'stranger:x:%s:%s::%s:/bin/sh\n' $user $user "$folder" | cat /etc/passwd - >"$folder/passwd"
printf 'stranger:300000:65536\n' >"$folder/ids"
mount --bind "$folder/passwd" /etc/passwd
mount --bind "$folder/ids" /etc/subuid
mount --bind "$folder/ids" /etc/subgid
case $python_home in
/root/*)
    mkdir -p "$folder/python"
    mount --bind "$python_home" "$folder/python"
    mount -t tmpfs -o mode=755 tmpfs /root
    mkdir -p "$python_home"
    mount --bind "$folder/python" "$python_home"
    ;;
esac
chown -R $user:$user "$folder/home"
exec setpriv --reuid=$user --regid=$user --clear-groups \
    env -u XDG_RUNTIME_DIR HOME="$folder/home" USER=stranger LOGNAME=stranger "$@"
