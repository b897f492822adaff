# SPDX-License-Identifier: Apache-2.0
"""The folder of a run: its log, its artifacts, and how it ended, where a restart finds it.

A log has a bound. Its beginning and its end are kept, because programs say at the beginning what
they do and at the end why they failed; what is cut out of the middle is said in its place.
Artifacts are whatever files a run leaves in its folder for them, as many as there is room for.
Links are left out, which could lead anywhere, and so are names that no page or database takes.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from okd_payload.controller.model import RunState
from okd_payload.controller.verification.runner import RunUpdate
from okd_payload.errors import StorageError
from okd_payload.release.output_file import write_output

LOG = "log"
ARTIFACTS = "artifacts"
JUNIT = f"{ARTIFACTS}/junit.xml"
HALF_LOG_BYTES = 8 * 1024 * 1024
"""How much of a log is kept of its beginning, and as much of its end."""
MAX_ARTIFACTS = 500
_LONGEST_NAME = 512
"""Of an artifact, with the folders that it is in: deeper ones are left out."""
_MOST_LOOKED_AT = 20_000

_OUTCOME = "outcome.json"


class RunOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended, written down before anybody is told."""

    state: RunState
    message: str = ""


class LogEnds:
    """The beginning and the end of a log, as its pieces come: no more of it is ever in memory."""

    def __init__(self, half: int | None = None) -> None:
        """Keep ``half`` bytes of the beginning, and as many of the end."""
        self._half = HALF_LOG_BYTES if half is None else half
        self._head, self._tail = bytearray(), bytearray()
        self._lost = 0

    def take(self, piece: bytes) -> None:
        """Add what comes next."""
        room = max(0, self._half - len(self._head))
        self._head += piece[:room]
        self._tail += piece[room:]
        if len(self._tail) > 2 * self._half:
            self._cut()

    def content(self) -> bytes:
        """What is kept, with a line where something was left out."""
        self._cut()
        line = f"\n[... {self._lost} bytes left out here ...]\n".encode() if self._lost else b""
        return bytes(self._head) + line + bytes(self._tail)

    def write(self, folder: Path) -> str:
        """Keep it as the log of the run; its name. Raises StorageError."""
        write_output(folder / LOG, self.content())
        return LOG

    def _cut(self) -> None:
        excess = max(0, len(self._tail) - self._half)
        self._lost += excess
        del self._tail[:excess]


def write_log(folder: Path, content: bytes) -> str:
    """Keep ``content`` as the log of the run; its name. Raises StorageError."""
    ends = LogEnds()
    ends.take(content)
    return ends.write(folder)


def write_outcome(folder: Path, outcome: RunOutcome) -> None:
    """Write down how the run ended. Raises StorageError."""
    write_output(folder / _OUTCOME, msgspec.json.encode(outcome))


def read_outcome(folder: Path) -> RunOutcome | None:
    """How the run ended, where that was written down. Raises StorageError."""
    try:
        content = (folder / _OUTCOME).read_bytes()
        return msgspec.json.decode(content, type=RunOutcome)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(f"cannot read {folder}: {error.strerror}") from error
    except msgspec.MsgspecError:
        return None  # something else lies there: the run has not been seen to end


def tell_outcome(folder: Path, outcome: RunOutcome) -> RunUpdate:
    """The update of a run that ended, with what it left in its folder."""
    return RunUpdate(
        state=outcome.state,
        message=outcome.message,
        log=LOG if (folder / LOG).is_file() else "",
        artifacts=list_artifacts(folder),
    )


def list_artifacts(folder: Path) -> tuple[str, ...]:
    """The files that the run left, below its folder, in byte order; a bounded number."""
    if (folder / ARTIFACTS).is_symlink():
        return ()
    return tuple(sorted(_walk(folder))[:MAX_ARTIFACTS])


def _walk(folder: Path) -> Iterator[str]:
    """The names of plain files, of those that are looked at."""
    left, room = [ARTIFACTS], _MOST_LOOKED_AT
    for parent in left:
        with contextlib.suppress(OSError), os.scandir(folder / parent) as entries:
            for entry in itertools.islice(entries, room):
                room -= 1
                name = f"{parent}/{entry.name}"
                if not name.isprintable() or len(os.fsencode(name)) > _LONGEST_NAME:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    left.append(name)
                elif entry.is_file(follow_symlinks=False):
                    yield name
