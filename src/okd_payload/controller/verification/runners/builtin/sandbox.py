# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: PTH102, PTH211
# Paths are texts here: after the pivot no module can be imported any more.
"""One program of an image, started where it can reach nothing of this machine.

This file is a program of its own, started with a bare interpreter in the folder that the image
was unpacked to. What to start comes as JSON on standard input, and how it went leaves as JSON on
standard output. The kernel's namespaces are enough for it, and an ordinary user may make them:
no container runtime, no storage, no copy of the image.

The program finds the image as its whole file system, which it cannot write to, small and empty
``/tmp``, ``/run`` and ``/dev/shm``, a ``/proc`` with nothing but itself, no network, not even its
own, and no environment but the image's. It is nobody in particular, has no rights and can get
none, its memory, time, files and processes are bounded, and of what it prints the beginning and
the end are kept. The first process of its namespace is this file: when that ends, the kernel ends
everything else in there. It is ``pivot_root`` and not ``chroot``, which can be left again.

Nothing of okd_payload is imported: the interpreter is as bare as can be.
"""

import contextlib
import ctypes
import json
import os
import platform
import resource
import select
import sys
import time
from typing import Any, NoReturn

_NAMESPACES = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000
_NEW_NETWORK = 0x40000000
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 1, 2, 4, 8
_MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE, _MS_RELATIME = 32, 4096, 16384, 1 << 18, 1 << 21
_ST_RELATIME = 4096
_MNT_DETACH = 2
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41, "ppc64le": 203, "s390x": 217, "riscv64": 41}
_PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS, _PR_SET_PDEATHSIG, _SIGKILL = 4, 38, 1, 9
_NOBODY = 65534
_INNER_USER, _INNER_GROUP = 1000, 0
"""As on OpenShift: some user, and the group that may do what the image's owner may."""
_MIDDLE = "/tmp"  # noqa: S108 - a folder that everybody may enter: the new root is mounted there
_DEVICES = ("null", "zero", "full", "random", "urandom")
_EMPTY = ("/tmp", "/run", "/dev/shm")  # noqa: S108 - those of the program
_KEPT_BYTES = 8 * 1024
_MOST_FILES = 1024
_MEBIBYTE = 1024 * 1024
_libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Start what standard input says, and tell how it went."""
    order = json.load(sys.stdin)
    try:
        _give_up_root()
        _isolate()
    except OSError as error:
        _tell({"trouble": f"{error.strerror or error}"})
        return
    first = os.fork()
    if first == 0:
        try:
            _control(_PR_SET_PDEATHSIG, _SIGKILL)
            _build()
            told = _start(order)
        except OSError as error:
            told = {"trouble": f"{error.strerror or error}"}
        _tell(told)
        os._exit(0)
    os.waitpid(first, 0)


def _tell(told: dict[str, Any]) -> None:
    content = json.dumps(told).encode()
    while content:
        content = content[os.write(1, content) :]


# --- rights ------------------------------------------------------------------------------------


def _give_up_root() -> None:
    """Be nobody, where this is started as root: nobody's files are nobody's loss.

    Root of a namespace that knows nobody is an ordinary user already.
    """
    if os.getuid() == 0:
        with contextlib.suppress(OSError):
            os.setgroups([])
            os.setresgid(_NOBODY, _NOBODY, _NOBODY)
            os.setresuid(_NOBODY, _NOBODY, _NOBODY)
        _control(_PR_SET_DUMPABLE, 1)  # else the maps of the next step are still root's


def _isolate() -> None:
    """Enter new namespaces of every kind, as the owner of nothing outside."""
    user, group = os.getuid(), os.getgid()
    if _libc.unshare(_NAMESPACES | _NEW_NETWORK) != 0:
        _fail("this machine lets nobody make namespaces")
    maps = {
        "setgroups": "deny",
        "uid_map": f"{_INNER_USER} {user} 1",
        "gid_map": f"{_INNER_GROUP} {group} 1",
    }
    for name, content in maps.items():
        _write(f"/proc/self/{name}", content)
    with contextlib.suppress(OSError):  # where /proc cannot be written to it stays as it is
        _write("/proc/sys/user/max_user_namespaces", "0")


def _write(path: str, content: str) -> None:
    file = os.open(path, os.O_WRONLY)
    try:
        os.write(file, content.encode())
    finally:
        os.close(file)


def _limit(order: dict[str, Any]) -> None:
    """What one program may take; memory counts what it writes to, not what it reserves."""
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: 8 * int(order["seconds"]) + 1,
        resource.RLIMIT_DATA: order["memory"] * _MEBIBYTE,
        resource.RLIMIT_FSIZE: 16 * _MEBIBYTE,
        resource.RLIMIT_NPROC: 512,
        resource.RLIMIT_NOFILE: _MOST_FILES,
    }
    for kind, most in limits.items():
        _, hard = resource.getrlimit(kind)
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (bound, bound))


# --- file systems ------------------------------------------------------------------------------


def _build() -> None:
    """Make the folder that this was started in the only file system there is."""
    _mount("", "/", "", _MS_REC | _MS_PRIVATE)
    _mount(".", _MIDDLE, "", _MS_BIND)
    os.chdir(_MIDDLE)
    held = os.statvfs(".").f_flag
    if held & _MS_NOEXEC:
        raise OSError(0, "the state folder is on a file system from which nothing may be run")
    _mount("proc", f"{_MIDDLE}/proc", "proc", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC, wanted=False)
    _mount("tmpfs", f"{_MIDDLE}/dev", "tmpfs", _MS_NOSUID, options="mode=755,size=64k")
    for name in _DEVICES:
        os.close(os.open(f"{_MIDDLE}/dev/{name}", os.O_CREAT | os.O_EXCL, 0o666))
        _mount(f"/dev/{name}", f"{_MIDDLE}/dev/{name}", "", _MS_BIND)
    for name, target in (("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        os.symlink(f"/proc/self/{target}", f"{_MIDDLE}/dev/{name}")
    os.mkdir(f"{_MIDDLE}/dev/shm")  # noqa: S108 - of the program
    kept = held & (_MS_NOSUID | _MS_NODEV | 1024 | 2048)
    kept |= _MS_RELATIME if held & _ST_RELATIME else 0
    flags = _MS_BIND | _MS_REMOUNT | _MS_RDONLY | _MS_NOSUID | _MS_NODEV
    _mount("", _MIDDLE, "", flags | kept)
    for path in _EMPTY:
        options = "mode=1777,size=64m,nr_inodes=10k"
        _mount("tmpfs", _MIDDLE + path, "tmpfs", _MS_NOSUID | _MS_NODEV, options=options)
    os.chdir(_MIDDLE)
    if _libc.syscall(_PIVOT_ROOT[platform.machine()], b".", b".") != 0:
        _fail("the image cannot become the root")
    if _libc.umount2(b".", _MNT_DETACH) != 0:
        _fail("the files of this machine cannot be left behind")
    os.chdir("/")


def _mount(
    source: str, target: str, kind: str, flags: int, *, options: str = "", wanted: bool = True
) -> None:
    words = [text.encode() or None for text in (source, target, kind)]
    if _libc.mount(*words, ctypes.c_ulong(flags), options.encode() or None) != 0 and wanted:
        _fail(f"nothing can be mounted on {target}")


def _fail(what: str) -> NoReturn:
    number = ctypes.get_errno()
    raise OSError(number, f"{what}: {os.strerror(number)}")


def _control(option: int, value: int) -> None:
    _libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0)


# --- the program -------------------------------------------------------------------------------


def _start(order: dict[str, Any]) -> dict[str, Any]:
    """Start the program, follow it to its end or the end of its time, and say how it ended."""
    output, into = os.pipe()
    refusal, refuse = os.pipe()
    child = os.fork()
    if child == 0:
        _become(order, into, refuse)
    os.close(into)
    os.close(refuse)
    ended = os.pidfd_open(child)
    deadline = time.monotonic() + order["seconds"]
    kept = _read(output, ended, deadline)
    left = max(0.0, deadline - time.monotonic())
    told: dict[str, Any] = {"output": kept.decode(errors="replace"), "late": True}
    if select.select([ended], [], [], left)[0]:
        _, status = os.waitpid(child, 0)
        told |= {"late": False, "code": os.waitstatus_to_exitcode(status)}
    refused = os.read(refusal, 1024) if select.select([refusal], [], [], 0)[0] else b""
    if refused:
        told["refused"] = refused.decode(errors="replace")
    return told


def _read(output: int, ended: int, deadline: float) -> bytes:
    """The beginning and the end of what is printed until the program or its time is over."""
    head, tail = b"", b""
    while (left := deadline - time.monotonic()) > 0:
        ready = select.select([output, ended], [], [], left)[0]
        if output not in ready:
            break
        chunk = os.read(output, 64 * 1024)
        if not chunk:
            break
        room = _KEPT_BYTES - len(head)
        head += chunk[:room]
        tail = (tail + chunk[room:] if room > 0 else tail + chunk)[-_KEPT_BYTES:]
    return head + tail


def _become(order: dict[str, Any], into: int, refuse: int) -> NoReturn:
    """Become the program. It gets nothing of ours but the pipe that it prints into."""
    try:
        os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
        os.dup2(into, 1)
        os.dup2(into, 2)
        os.closerange(3, refuse)
        os.closerange(refuse + 1, _MOST_FILES)
        os.set_inheritable(refuse, False)
        os.setsid()
        _limit(order)
        _control(_PR_SET_NO_NEW_PRIVS, 1)
        os.umask(0o022)
        _enter(order["folder"])
        _execute(order["command"], order["environment"])
    except OSError as error:
        os.write(refuse, f"{error.strerror}".encode())
    finally:
        os._exit(127)


def _enter(folder: str) -> None:
    try:
        os.chdir(folder)
    except OSError:
        os.chdir("/")  # a runtime would make it, and nothing can be made here


def _execute(command: list[str], environment: dict[str, str]) -> NoReturn:
    """Become ``command``. ``os.execvpe`` would import a module, and there are none any more."""
    program = command[0]
    folders = [""] if "/" in program else environment.get("PATH", "").split(":")
    refusal: OSError = FileNotFoundError(2, os.strerror(2))
    for folder in folders:
        try:
            os.execve(  # noqa: S606 - this is what all of it is for
                f"{folder}/{program}" if folder else program, command, environment
            )
        except (FileNotFoundError, NotADirectoryError):
            continue
        except PermissionError as error:
            refusal = error
    raise refusal


if __name__ == "__main__":
    main()
