# SPDX-License-Identifier: Apache-2.0
"""Copying what a run leaves into the database, before its end is noted and a log while it grows.

What is copied of one run is bounded: a file for which there is no room stays on the disk of the
instance. The folder of a run of which everything was copied is removed, so the disk of a pod does
not fill with what nobody reads there.
"""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from okd_payload.controller.records import Database, run_pieces
from okd_payload.controller.records.run_pieces import RunPiece
from okd_payload.controller.verification.shared_files.pieces import (
    RunFile,
    count_pieces,
    sum_of,
)
from okd_payload.scratch import remove_tree

Write = Callable[[Callable[[Connection], None]], Awaitable[None]]

MOST_BYTES = 64 * 1024 * 1024
"""Of all files of one run."""
_AT_ONCE = 16
"""Pieces in one unit of work: others write meanwhile."""

_Looks = tuple[tuple[str, int, int], ...]
"""Names, sizes and times of files."""


class FileSharing:
    """Shares the files of runs that this instance carries out, where others may want them."""

    def __init__(self, database: Database, write: Write) -> None:
        self._database = database
        self._write = write
        self._seen: dict[str, _Looks] = {}
        """How the files of open runs looked when they were copied last."""

    async def share(self, folder: Path, run: str, names: Collection[str]) -> bool:
        """Copy what changed; whether everything is where all instances find it.

        Raises RecordsError.
        """
        if not self._database.is_shared or not names:
            return False
        now = await asyncio.to_thread(_look_at, folder, names)
        if self._seen.get(run) == now:
            return True
        files = [RunFile(run, name, folder / name) for name in names]
        complete = await share_files(self._database, self._write, files)
        if complete:
            self._seen[run] = now
        return complete

    async def let_go(self, folder: Path, run: str) -> None:
        """Remove the folder of a run that has ended, whose files are all in the database."""
        self._seen.pop(run, None)
        await asyncio.to_thread(remove_tree, folder)


async def share_files(database: Database, write: Write, files: Iterable[RunFile]) -> bool:
    """Copy files of one run into the database; whether all of them are there now.

    Pieces that are there as they are are not written again. Raises RecordsError.
    """
    left, complete = MOST_BYTES, True
    known: dict[tuple[str, int], str] | None = None
    for file in files:
        if known is None:
            stored = await database.read(partial(run_pieces.list_of, run=file.run))
            known = {(piece.name, piece.number): piece.sum for piece in stored}
        size = await asyncio.to_thread(_size_of, file.path)
        if size is None or size > left:
            complete = False
            continue
        left -= size
        await _share(write, file, count_pieces(size), known)
    return complete


async def _share(
    write: Write, file: RunFile, count: int, known: Mapping[tuple[str, int], str]
) -> None:
    for first in range(0, count, _AT_ONCE):
        numbers = range(first, min(first + _AT_ONCE, count))
        changed = await asyncio.to_thread(_read_changed, file, numbers, known)
        if changed:
            await write(partial(run_pieces.write, pieces=changed))
    if (file.name, count) in known:
        await write(partial(run_pieces.cut, run=file.run, name=file.name, count=count))


def _read_changed(
    file: RunFile, numbers: range, known: Mapping[tuple[str, int], str]
) -> list[RunPiece]:
    """Those pieces of the file that are not stored as they are."""
    return [
        RunPiece(
            run=file.run,
            name=file.name,
            number=number,
            size=len(content),
            sum=found,
            content=zlib.compress(content),
        )
        for number, content in file.read(numbers)
        if known.get((file.name, number)) != (found := sum_of(content))
    ]


def _look_at(folder: Path, names: Iterable[str]) -> _Looks:
    found = []
    for name in names:
        with contextlib.suppress(OSError):
            status = (folder / name).stat()
            found.append((name, status.st_size, status.st_mtime_ns))
    return tuple(found)


def _size_of(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None
