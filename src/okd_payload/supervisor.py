# SPDX-License-Identifier: Apache-2.0
"""One command, and the promise that nothing of it outlives whoever asked for it.

This file is a program of its own: ``process.run`` starts it with a bare interpreter as
``supervisor.py LIFELINE COMMAND...``. LIFELINE is the reading end of a pipe whose writing end
only the asker holds. When that end closes, because the asker wants to stop or because it was
killed, the command's process group is asked to end, and after a time of grace it is killed.
When the command has ended, well or not, so does everything that it left running.

Why a process of its own: a process group misses what calls ``setsid``, and the kernel's parent
death signal reaches children but not grandchildren: a killed buildah leaves the daemons that a
RUN started. A *child subreaper* inherits every orphan below it, so it finds them all without
any privileges, and takes their exit codes as an init process would.

Nothing of okd_payload is imported, and of the standard library only what loads in no time:
this start is a part of every command's.
"""

import _thread
import ctypes
import os
import sys
import time

GRACE_SECONDS = 5.0
CANNOT_START = 127
_SIGHUP, _SIGINT, _SIGKILL, _SIGPIPE, _SIGTERM, _SIGXFSZ = 1, 2, 9, 13, 15, 25
_SIG_DFL, _SIG_IGN = ctypes.c_void_p(0), ctypes.c_void_p(1)
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None)


def supervise(lifeline: int, command: list[str]) -> int:
    """Run ``command`` to its end or to the end of ``lifeline``; return its exit code.

    A command that a signal ended has the code 128 plus the signal's number, as in shells.
    """
    os.set_inheritable(lifeline, False)
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    child = _start(command)
    _let_go()
    _thread.start_new_thread(_end_with_lifeline, (lifeline, child))
    while True:
        process, status = os.waitpid(-1, 0)
        if process == child:
            _end_descendants()
            code = os.waitstatus_to_exitcode(status)
            return 128 - code if code < 0 else code


def _start(command: list[str]) -> int:
    """Start ``command`` in a process group of its own, with the signals of a fresh process."""
    supervisor = os.getpid()
    child = os.fork()
    if child == 0:
        try:
            os.setpgid(0, 0)
            _libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
            for ignored_by_python in (_SIGPIPE, _SIGXFSZ):
                _libc.signal(ignored_by_python, _SIG_DFL)
            if os.getppid() == supervisor:  # else it was killed before the death signal was set
                os.execvp(command[0], command)  # noqa: S606 - starting programs is the purpose
        except OSError as error:
            os.write(2, f"cannot start {command[0]}: {error.strerror}\n".encode())
        finally:
            os._exit(CANNOT_START)
    return child


def _let_go() -> None:
    """Leave the standard files to the command, so that they close when it ends, and stay."""
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    for number in (_SIGHUP, _SIGINT, _SIGTERM):
        _libc.signal(number, _SIG_IGN)


def _end_with_lifeline(lifeline: int, child: int) -> None:
    """Wait for the end of ``lifeline``, then end the group: politely, and then not."""
    os.read(lifeline, 1)
    for number in (_SIGTERM, _SIGKILL):
        _send(-child, number)
        _send(child, number)  # between its fork and its setpgid the child is no group yet
        time.sleep(GRACE_SECONDS)


def _end_descendants() -> None:
    """Kill children until there are none; each of them leaves its own children to us."""
    try:
        while True:
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
            for process in _children():
                _send(process, _SIGKILL)
            os.waitpid(-1, 0)
    except ChildProcessError:
        return


def _send(process: int, number: int) -> None:
    try:  # noqa: SIM105 - contextlib takes a millisecond to load
        os.kill(process, number)
    except (ProcessLookupError, PermissionError):
        pass  # it ended on its own, or is a set-user-id program that ends in its own time


def _children() -> list[int]:
    """Every process whose parent we are."""
    own = str(os.getpid()).encode()
    found = []
    for name in os.listdir("/proc"):  # noqa: PTH208 - pathlib takes milliseconds to load
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123 - as above
                    parent = file.read().rpartition(b") ")[2].split()[1]
            except OSError:
                continue  # it ended meanwhile
            if parent == own:
                found.append(int(name))
    return found


if __name__ == "__main__":
    os._exit(supervise(int(sys.argv[1]), sys.argv[2:]))
