# SPDX-License-Identifier: Apache-2.0
"""What a security context comes to: users, groups, capabilities and filters of one container.

The defaults are those of containerd, where a context says nothing: fourteen capabilities, no
seccomp filter (the kubelet sets one only where it is told to), ``/proc`` masked.
"""

from __future__ import annotations

import msgspec

from okd_payload.errors import InputError
from okd_payload.testing.task_runner.model import Security

_NAMES = (
    *("CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID"),
    *("SETPCAP", "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW"),
    *("IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT"),
    *("SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD"),
    *("LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG"),
    *("WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF", "CHECKPOINT_RESTORE"),
)
"""In the order of their numbers."""
_DEFAULT = (
    *("CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW", "SETGID", "SETUID"),
    *("SETFCAP", "SETPCAP", "NET_BIND_SERVICE", "SYS_CHROOT", "KILL", "AUDIT_WRITE"),
)
_ALL = "ALL"


class Rights(msgspec.Struct, frozen=True, kw_only=True):
    """Who the first process of a container is, and what it may."""

    user: int
    group: int
    groups: tuple[int, ...]
    capabilities: tuple[int, ...]
    privileged: bool
    no_new_privileges: bool
    seccomp: bool
    unmasked: bool
    read_only_root: bool


def combine(*contexts: Security | None) -> Security:
    """The context in which each later one wins where it says something."""
    combined = Security()
    for context in contexts:
        if context is not None:
            values = msgspec.structs.asdict(context).items()
            said = {name: value for name, value in values if value is not None}
            combined = msgspec.structs.replace(combined, **said)
    return combined


def rights_of(security: Security, *, image_user: str, passwd: str = "") -> Rights:
    """The rights of a container. ``passwd`` is that of its image. Raises InputError."""
    user, group = _user_of(security, image_user, passwd)
    if security.run_as_non_root and user == 0:
        raise InputError("container has runAsNonRoot and image will run as root")
    privileged = bool(security.privileged)
    seccomp = security.seccomp_profile is not None and security.seccomp_profile.type != "Unconfined"
    extra = (*(security.supplemental_groups or ()),)
    extra += (security.fs_group,) if security.fs_group is not None else ()
    return Rights(
        user=user,
        group=group,
        groups=tuple(dict.fromkeys((group, *extra))),
        capabilities=_capabilities(security),
        privileged=privileged,
        no_new_privileges=security.allow_privilege_escalation is False,
        seccomp=seccomp and not privileged,
        unmasked=privileged or security.proc_mount == "Unmasked",
        read_only_root=bool(security.read_only_root_filesystem),
    )


def _capabilities(security: Security) -> tuple[int, ...]:
    if security.privileged:
        return tuple(range(len(_NAMES)))
    changes = security.capabilities
    added = {name.removeprefix("CAP_").upper() for name in changes.add} if changes else set()
    dropped = {name.removeprefix("CAP_").upper() for name in changes.drop} if changes else set()
    kept = set() if _ALL in dropped else set(_DEFAULT) - dropped
    kept |= set(_NAMES) if _ALL in added else added
    unknown = sorted(kept - set(_NAMES))
    if unknown:
        raise InputError(f"unknown capabilities {', '.join(unknown)}")
    return tuple(sorted(_NAMES.index(name) for name in kept))


def _user_of(security: Security, image_user: str, passwd: str) -> tuple[int, int]:
    """User and group: those of the context, else of the image, whose names its files explain."""
    named, _, named_group = image_user.partition(":")
    if security.run_as_user is not None:
        named, named_group = str(security.run_as_user), ""
    entries = [line.split(":") for line in passwd.splitlines() if line.count(":") > 3]
    found = next((each for each in entries if named in (each[0], each[2])), None)
    if found is not None:
        user, group = int(found[2]), int(found[3])
    elif named.isdigit() or not named:
        user, group = int(named or 0), 0
    else:
        raise InputError(f"the image has no user {named}")
    if named_group.isdigit():
        group = int(named_group)
    return user, group if security.run_as_group is None else security.run_as_group
