# SPDX-License-Identifier: Apache-2.0
"""Keeps one run: outlives the controller, and lets nothing of the run outlive itself.

This file is a program of its own, started with a bare interpreter as
``keeper.py LOCK SUPERVISOR SECONDS BYTES COMMAND...`` in the folder of the run. It goes into the
background at once. LOCK is a descriptor of a locked file: while the lock is held the run is
alive, whatever has become of the controller and whoever has its process number now.

The command runs below SUPERVISOR, the one below which all our programs run: when this process
ends, by SIGKILL too, so does everything that the command started. It is ended after SECONDS, and
by SIGTERM. Of what it prints, the first and the last BYTES are kept. How it ended is written
down last, as a whole, so that it is either there or not.

Nothing of okd_payload is imported: what keeps a run must not change under it by an update.
"""

import json
import os
import select
import signal
import subprocess
import sys
import time

BEGUN, ENDED, LOG = "begun.json", "ended.json", "log"
_CHUNK = 64 * 1024
_PATIENCE = 30.0
"""Seconds that the supervisor may take to end everything."""


class Log:
    """The first bytes of an output, written as they come, and the last ones at its end."""

    def __init__(self, bound: int) -> None:
        self._file = os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        self._room = bound
        self._bound = bound
        self._tail = bytearray()
        self._lost = 0

    def take(self, chunk: bytes) -> None:
        """Keep what there is room for."""
        head = chunk[: self._room]
        self._write(head)
        self._room -= len(head)
        self._tail += chunk[len(head) :]
        excess = len(self._tail) - self._bound
        if excess > 0:
            del self._tail[:excess]
            self._lost += excess

    def finish(self) -> None:
        """Write the end."""
        if self._lost:
            self._write(f"\n[... {self._lost} bytes left out here ...]\n".encode())
        self._write(bytes(self._tail))
        os.close(self._file)

    def _write(self, content: bytes) -> None:
        try:
            while content:
                content = content[os.write(self._file, content) :]
        except OSError:
            pass  # a full disk costs the log, not the outcome


class Keeper:
    """One command on its way to its end."""

    def __init__(self, supervisor: str, seconds: float, bound: int, command: list[str]) -> None:
        self._deadline = time.monotonic() + seconds
        self._why = ""
        self._log = Log(bound)
        lifeline, self._ours = os.pipe()
        self._output, into = os.pipe()
        signal.signal(signal.SIGTERM, lambda *_: self._end("cancelled"))
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", supervisor, str(lifeline), *command],
            cwd="work",
            pass_fds=(lifeline,),
            stdin=subprocess.DEVNULL,
            stdout=into,
            stderr=into,
        )
        os.close(lifeline)
        os.close(into)

    def run(self) -> None:
        """Follow the command to its end, and write down how it ended."""
        while chunk := self._read():
            self._log.take(chunk)
        code = self._wait()
        self._log.finish()
        _write(ENDED, {"code": code, "why": self._why})

    def _read(self) -> bytes:
        """The next output; empty when there will be none."""
        if not self._why and not select.select([self._output], [], [], self._left)[0]:
            self._end("time")
        return os.read(self._output, _CHUNK)

    def _wait(self) -> int:
        """The exit code; what ended its output may still be running."""
        try:
            return self._process.wait(self._left)
        except subprocess.TimeoutExpired:
            self._end("time")
            return self._process.wait(_PATIENCE)

    @property
    def _left(self) -> float:
        return max(0.0, self._deadline - time.monotonic()) if not self._why else _PATIENCE

    def _end(self, why: str) -> None:
        if not self._why:
            self._why = why
            os.close(self._ours)


def _write(name: str, content: dict[str, object]) -> None:
    scratch = f".{name}.new"
    with open(scratch, "w", encoding="utf-8") as file:  # noqa: PTH123 - as bare as can be
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(scratch, name)  # noqa: PTH105 - as above


def main(arguments: list[str]) -> None:
    """Go into the background, and keep the run that ``arguments`` describe."""
    lock, supervisor, seconds, bound, *command = arguments
    if os.fork():
        os._exit(0)
    os.set_inheritable(int(lock), False)
    _write(BEGUN, {"process": os.getpid()})
    Keeper(supervisor, float(seconds), int(bound), command).run()


if __name__ == "__main__":
    main(sys.argv[1:])
