# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: PTH102, PTH103, PTH110, PTH112, PTH115, PTH120, PTH123, PTH211
# Paths are texts here: after the pivot no module can be imported any more.
"""One container: what a kubelet's runtime does between ``clone`` and ``exec``.

This file is a program of its own, started with a bare interpreter as ``entry.py FILE`` by
``unshare --mount --pid --fork``: it is the first process of a pid namespace. ``FILE`` is the
container as JSON (``pod.Container``). It mounts the root file system and the volumes,
pivots into them, takes away what the security context takes away, runs the command, hands
signals on, and ends with the command's exit code; the kernel then ends everything else in the
namespace, and with it go all mounts.

The rights are those of a real runtime, so that what works here can work there: a bounding set of
capabilities, ``no_new_privs``, masked parts of ``/proc``, and a seccomp filter. The filter holds
only the part of a runtime's default profile that decides about nested containers: calls that
make namespaces and mounts need CAP_SYS_ADMIN. ``pivot_root`` it is and not ``chroot``, because
the kernel gives no user namespace to a process that is in a ``chroot``.

Nothing of okd_payload is imported: the interpreter may be any.
"""

import ctypes
import json
import os
import platform
import signal
import stat
import struct
import sys
from typing import Any, NoReturn

CANNOT_START, SIGNALLED = 1, 255
"""Exit codes of Tekton's entrypoint for a program that is not there, or that a signal ended."""
NO_CONTAINER = 128
_libc = ctypes.CDLL(None, use_errno=True)

_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 1, 2, 4, 8
_MS_REMOUNT, _MS_BIND, _MS_REC = 32, 4096, 16384
_MNT_DETACH = 2
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP = 24, 38, 22
_CAPABILITY_VERSION_3 = 0x20080522
_SYS_ADMIN = 21

_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_MASKED = (
    *("asound", "acpi", "kcore", "keys", "latency_stats", "timer_list", "timer_stats"),
    *("sched_debug", "scsi"),
)
_READ_ONLY = ("bus", "fs", "irq", "sys", "sysrq-trigger")
"""Parts of /proc: what containerd hides, and what it makes read-only."""

_NAMESPACE_FLAGS = 0x7E020000
"""CLONE_NEW* of clone(2)."""
_RESTRICTED = {
    # mount umount2 pivot_root unshare setns open_tree move_mount fsopen fsconfig fsmount fspick
    # mount_setattr; then bpf, add_key, request_key, keyctl
    "x86_64": (165, 166, 155, 272, 308, 428, 429, 430, 431, 432, 433, 442, 321, 248, 249, 250),
    "aarch64": (40, 39, 41, 97, 268, 428, 429, 430, 431, 432, 433, 442, 280, 217, 218, 219),
}
_CLONE = {"x86_64": 56, "aarch64": 220}
_CLONE3 = 435
_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_EPERM, _ENOSYS = 1, 38


def main(path: str) -> int:
    """Set up the container that the file at ``path`` describes, run it, return its exit code."""
    with open(path, encoding="utf-8") as file:
        container = json.load(file)
    _libc.sethostname(container["hostName"].encode(), len(container["hostName"]))
    _mount_all(container)
    _pivot(container["root"])
    child = os.fork()
    if child == 0:
        try:
            _become(container)
            _enter(container["directory"])
            _execute(container["command"], container["environment"])
        except OSError as error:
            name = error.filename if isinstance(error.filename, str) else container["command"][0]
            os.write(2, f"cannot start {name}: {error.strerror}\n".encode())
        finally:
            os._exit(CANNOT_START)
    return _wait(child)


# --- file systems ------------------------------------------------------------------------------


def _mount_all(container: dict[str, Any]) -> None:
    root = container["root"]
    layers = container["overlay"]
    options = f"lowerdir={layers['lower']},upperdir={layers['upper']},workdir={layers['work']}"
    _mount("overlay", root, "overlay", 0, options=options)
    _mount_kernel(root, unmasked=container["unmasked"])
    for mount in container["mounts"]:
        target = _place(root, mount["target"], folder=os.path.isdir(mount["source"]))
        _mount(mount["source"], target, "", _MS_BIND | _MS_REC)
        if mount["readOnly"]:
            _mount("", target, "", _MS_BIND | _MS_REMOUNT | _MS_RDONLY)
    if container["readOnlyRoot"]:
        _mount("", root, "", _MS_BIND | _MS_REMOUNT | _MS_RDONLY)


def _mount_kernel(root: str, *, unmasked: bool) -> None:
    """/proc, /dev and /sys as containers have them."""
    proc, dev, sys_ = (_place(root, name, folder=True) for name in ("/proc", "/dev", "/sys"))
    _mount("proc", proc, "proc", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC)
    _mount("tmpfs", dev, "tmpfs", _MS_NOSUID, options="mode=755,size=65536k")
    for name in _DEVICES:
        _mount(f"/dev/{name}", _place(root, f"/dev/{name}", folder=False), "", _MS_BIND)
    for name, target in (("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        os.symlink(f"/proc/self/{target}", f"{dev}/{name}")
    terminals = _place(root, "/dev/pts", folder=True)
    _mount(
        "devpts", terminals, "devpts", _MS_NOSUID | _MS_NOEXEC, options="newinstance,ptmxmode=0666"
    )
    os.symlink("pts/ptmx", f"{dev}/ptmx")
    shared = _place(root, "/dev/shm", folder=True)  # noqa: S108 - as in every container
    _mount("tmpfs", shared, "tmpfs", _MS_NOSUID | _MS_NODEV, options="mode=1777,size=65536k")
    _mount("/sys", sys_, "", _MS_BIND | _MS_REC)
    _mount("", sys_, "", _MS_BIND | _MS_REMOUNT | _MS_RDONLY | _MS_NOSUID | _MS_NODEV | _MS_NOEXEC)
    if unmasked:
        return
    for name in _MASKED:
        path = f"{proc}/{name}"
        if os.path.isdir(path):
            _mount("tmpfs", path, "tmpfs", _MS_RDONLY)
        elif os.path.exists(path):
            _mount("/dev/null", path, "", _MS_BIND)
    for name in _READ_ONLY:
        path = f"{proc}/{name}"
        if os.path.exists(path):
            _mount(path, path, "", _MS_BIND | _MS_REC)
            flags = _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
            _mount("", path, "", _MS_BIND | _MS_REMOUNT | _MS_RDONLY | flags)


def _place(root: str, path: str, *, folder: bool) -> str:
    """The place of ``path`` below ``root``, made where it is missing; no link leads out."""
    found = root
    names = [name for name in reversed(path.split("/")) if name not in ("", ".")]
    for _ in range(255):
        if not names:
            return found
        name = names.pop()
        if name == "..":
            found = os.path.dirname(found) if found != root else root
            continue
        inner = f"{found}/{name}"
        try:
            mode = os.lstat(inner).st_mode
        except FileNotFoundError:
            if names or folder:
                os.mkdir(inner, 0o755)
            else:
                os.close(os.open(inner, os.O_CREAT | os.O_EXCL, 0o644))
            mode = 0
        if stat.S_ISLNK(mode):
            target = os.readlink(inner)
            found = root if target.startswith("/") else found
            names += [part for part in reversed(target.split("/")) if part not in ("", ".")]
        else:
            found = inner
    raise OSError(40, "too many links", path)


def _execute(command: list[str], environment: dict[str, str]) -> NoReturn:
    """Become ``command``. ``os.execvpe`` would import a module, and there are none any more."""
    program = command[0]
    folders = [""] if "/" in program else environment.get("PATH", "").split(":")
    refusal: OSError = FileNotFoundError(2, os.strerror(2), program)
    for folder in folders:
        try:
            os.execve(  # noqa: S606 - this is what a container is for
                f"{folder}/{program}" if folder else program, command, environment
            )
        except (FileNotFoundError, NotADirectoryError):
            continue
        except PermissionError as error:
            refusal = error
    raise refusal


def _enter(folder: str) -> None:
    """Be in ``folder``, which a runtime makes where it is missing."""
    os.makedirs(folder, exist_ok=True)
    os.chdir(folder)


def _pivot(root: str) -> None:
    """Make ``root``, a mount point, the only file system there is."""
    os.chdir(root)
    if _libc.syscall(_PIVOT_ROOT[platform.machine()], b".", b".") != 0:
        _fail("pivot_root", root)
    if _libc.umount2(b".", _MNT_DETACH) != 0:
        _fail("umount", "/")
    os.chdir("/")


def _mount(source: str, target: str, kind: str, flags: int, *, options: str = "") -> None:
    words = [text.encode() or None for text in (source, target, kind)]
    if _libc.mount(*words, ctypes.c_ulong(flags), options.encode() or None) != 0:
        _fail("mount", target)


def _fail(doing: str, subject: str) -> NoReturn:
    number = ctypes.get_errno()
    raise OSError(number, f"{doing}: {os.strerror(number)}", subject)


# --- rights ------------------------------------------------------------------------------------


def _become(container: dict[str, Any]) -> None:
    """Give up what the container's user does not have. The order matters."""
    user, group = container["user"], container["group"]
    allowed = set(container["capabilities"])
    if not container["privileged"]:
        for number in range(64):
            if number not in allowed:
                _libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0)
    os.setgroups(container["groups"])
    os.setresgid(group, group, group)
    if container["noNewPrivileges"]:
        _control(_PR_SET_NO_NEW_PRIVS, 1)
    if container["seccomp"]:
        # Setting a filter needs no_new_privs or CAP_SYS_ADMIN, which goes in the next lines.
        _filter_calls(restricted=_SYS_ADMIN not in allowed)
    os.setresuid(user, user, user)
    if user == 0 and not container["privileged"]:
        _set_capabilities(allowed)
    os.umask(0o022)


def _set_capabilities(numbers: set[int]) -> None:
    mask = sum(1 << number for number in numbers)
    header = struct.pack("Ii", _CAPABILITY_VERSION_3, 0)
    low, high = mask & 0xFFFFFFFF, mask >> 32
    if _libc.capset(header, struct.pack("6I", low, low, 0, high, high, 0)) != 0:
        _fail("capset", "")


def _filter_calls(*, restricted: bool) -> None:
    """Refuse the calls that make namespaces and mounts, as the default profile of containerd."""
    machine = platform.machine()
    program = [
        _statement(0x20, 4),  # the architecture
        _jump(_AUDIT_ARCH[machine], 1, 0),
        _statement(0x06, _ERRNO | _EPERM),
        _statement(0x20, 0),  # the number of the call
    ]
    if restricted:
        for number in _RESTRICTED[machine]:
            program += [_jump(number, 0, 1), _statement(0x06, _ERRNO | _EPERM)]
        program += [_jump(_CLONE3, 0, 1), _statement(0x06, _ERRNO | _ENOSYS)]
        program += [
            _jump(_CLONE[machine], 0, 4),
            _statement(0x20, 16),  # the lower half of the first argument
            struct.pack("HBBI", 0x45, 0, 1, _NAMESPACE_FLAGS),
            _statement(0x06, _ERRNO | _EPERM),
            _statement(0x20, 0),
        ]
    program.append(_statement(0x06, _ALLOW))
    code = b"".join(program)
    buffer = ctypes.create_string_buffer(code)
    header = ctypes.create_string_buffer(
        struct.pack("HxxxxxxP", len(program), ctypes.addressof(buffer))
    )
    _control(_PR_SET_SECCOMP, 2, ctypes.addressof(header))


def _statement(code: int, value: int) -> bytes:
    return struct.pack("HBBI", code, 0, 0, value)


def _jump(value: int, if_equal: int, otherwise: int) -> bytes:
    return struct.pack("HBBI", 0x15, if_equal, otherwise, value)


def _control(option: int, *values: int) -> None:
    arguments = [ctypes.c_ulong(value) for value in (*values, 0, 0, 0, 0)[:4]]
    if _libc.prctl(option, *arguments) != 0:
        _fail("prctl", str(option))


# --- the first process -------------------------------------------------------------------------


def _wait(child: int) -> int:
    """Hand signals to ``child`` and take over orphans until it ends; its exit code."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, _: os.kill(child, number))
    while True:
        process, status = os.waitpid(-1, 0)
        if process == child:
            code = os.waitstatus_to_exitcode(status)
            return SIGNALLED if code < 0 else code


if __name__ == "__main__":
    try:
        os._exit(main(sys.argv[1]))
    except OSError as error:
        os.write(2, f"cannot set up the container: {error.filename}: {error.strerror}\n".encode())
        os._exit(NO_CONTAINER)
