# SPDX-License-Identifier: Apache-2.0
"""Files of runs, in pieces: what several instances show though only one of them made it.

A piece is known by a sum of its bytes, so that of a file which grew only the end is written and
read again. Whoever writes a file says what the bytes mean; here they are bytes.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection, delete, select

from okd_payload.controller.records.rows import from_row, put
from okd_payload.controller.records.tables import run_pieces


class PieceSum(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a piece without its content."""

    name: str
    """Of the file, below the folder of its run."""
    number: int
    size: int
    """In the file: what is stored is smaller where it could be packed."""
    sum: str


class RunPiece(PieceSum, frozen=True, kw_only=True):
    """One piece of a file of a run."""

    run: str
    content: bytes


def write(connection: Connection, pieces: Iterable[RunPiece]) -> None:
    """Write ``pieces``, new or changed; the run has to be known."""
    for piece in pieces:
        put(connection, run_pieces, piece)


def cut(connection: Connection, run: str, name: str, count: int) -> None:
    """Let the file have ``count`` pieces at most."""
    of_file = (run_pieces.c.run == run) & (run_pieces.c.name == name)
    connection.execute(delete(run_pieces).where(of_file & (run_pieces.c.number >= count)))


def list_of(connection: Connection, run: str) -> list[PieceSum]:
    """The pieces of all files of the run, in their order."""
    columns = (run_pieces.c.name, run_pieces.c.number, run_pieces.c.size, run_pieces.c.sum)
    wanted = select(*columns).where(run_pieces.c.run == run)
    rows = connection.execute(wanted.order_by(run_pieces.c.name, run_pieces.c.number))
    return [from_row(row, PieceSum) for row in rows]


def read(connection: Connection, run: str, name: str, number: int) -> bytes | None:
    """What is stored of one piece; None when it was removed meanwhile."""
    of_file = (run_pieces.c.run == run) & (run_pieces.c.name == name)
    wanted = select(run_pieces.c.content).where(of_file & (run_pieces.c.number == number))
    return connection.execute(wanted).scalar_one_or_none()
