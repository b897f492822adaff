# SPDX-License-Identifier: Apache-2.0
"""Copies of what runs left, out of the database, for an instance that shows them.

A copy is made when somebody asks, and brought up to date when they ask again: only pieces that
differ are read. Together the copies are bounded; those go first that nobody looked at for longest.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import zlib
from collections.abc import Collection, Iterable, Sequence
from functools import partial
from pathlib import Path

from okd_payload.controller.model import VerificationRun
from okd_payload.controller.records import Database, run_pieces
from okd_payload.controller.records.run_pieces import PieceSum
from okd_payload.controller.surroundings import Surroundings
from okd_payload.controller.verification.shared_files.pieces import PIECE_BYTES, RunFile, sum_of
from okd_payload.errors import StorageError
from okd_payload.oci.threads import finish_in_thread

MOST_BYTES = 512 * 1024 * 1024
"""Of all copies."""
_FETCHED, _RUNS = "fetched", "runs"


async def fetch_files(
    surroundings: Surroundings, run: VerificationRun, names: Collection[str]
) -> Path:
    """The folder below which those of ``names`` are that the database has, as a record names them.

    Where it has none of the run's files that is the state folder, in which they are if this
    instance made them. Raises RecordsError and StorageError.
    """
    stored = await surroundings.database.read(partial(run_pieces.list_of, run=run.id))
    if not stored or Path(run.id).name != run.id:
        return surroundings.state
    root = surroundings.state / _FETCHED
    place = root / _RUNS / run.id
    is_new = False
    for name, pieces in _by_file(stored).items():
        if f"{_RUNS}/{run.id}/{name}" in names and not Path(name).is_absolute():
            file = RunFile(run.id, name, place / name)
            is_new |= await _fetch(surroundings.database, file, pieces)
    with contextlib.suppress(OSError):
        os.utime(place)  # somebody looks at it
    if is_new:
        await asyncio.to_thread(_make_room, root / _RUNS, place)
    return root


async def _fetch(database: Database, file: RunFile, pieces: Sequence[PieceSum]) -> bool:
    """Make the copy of one file what is stored; whether anything was missing."""
    missing = await asyncio.to_thread(_find_missing, file, pieces)
    for piece in missing:
        packed = await database.read(
            partial(run_pieces.read, run=file.run, name=file.name, number=piece.number)
        )
        if packed is not None:  # else it was removed just now
            await finish_in_thread(_put_piece, file.path, piece.number, packed)
    await finish_in_thread(_cut_to, file.path, sum(piece.size for piece in pieces))
    return bool(missing)


def _by_file(pieces: Iterable[PieceSum]) -> dict[str, list[PieceSum]]:
    found: dict[str, list[PieceSum]] = {}
    for piece in pieces:
        found.setdefault(piece.name, []).append(piece)
    return found


def _find_missing(file: RunFile, pieces: Sequence[PieceSum]) -> list[PieceSum]:
    have = {number: sum_of(content) for number, content in file.read(range(len(pieces)))}
    return [piece for piece in pieces if have.get(piece.number) != piece.sum]


def _put_piece(path: Path, number: int, packed: bytes) -> None:
    """Write one piece where it belongs. Raises StorageError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o640)
        with os.fdopen(descriptor, "wb") as file:
            file.seek(number * PIECE_BYTES)
            file.write(zlib.decompress(packed))
    except OSError as error:
        raise StorageError(
            f"cannot write {path}: {error.strerror}", hint="make room in the state folder"
        ) from error


def _cut_to(path: Path, size: int) -> None:
    """Cut off what the copy had before."""
    with contextlib.suppress(OSError):
        if path.stat().st_size > size:
            os.truncate(path, size)


def _make_room(root: Path, kept: Path) -> None:
    """Remove copies of other runs until those that are left are not too much."""
    with contextlib.suppress(OSError):
        folders = sorted(root.iterdir(), key=lambda folder: folder.stat().st_mtime)
        sizes = {folder: _size_below(folder) for folder in folders}
        over = sum(sizes.values()) - MOST_BYTES
        for folder in folders:
            if over <= 0:
                return
            if folder != kept:
                shutil.rmtree(folder, ignore_errors=True)
                over -= sizes[folder]


def _size_below(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
