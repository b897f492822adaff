# SPDX-License-Identifier: Apache-2.0
"""Releases that were deleted: what of them is still to be removed elsewhere, and that they were.

A line is written in the unit of work that deletes the record, so nothing that is left in a
registry is ever forgotten; afterwards it stays, as the stone over the release's name.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, select

from okd_payload.controller.records.rows import from_row, put
from okd_payload.controller.records.tables import removals
from okd_payload.oci.digest import Digest


class Removal(msgspec.Struct, frozen=True, kw_only=True):
    """A release that is no more."""

    release: str
    stream: str
    digest: Digest | None = None
    releases: str = ""
    """The repository that its tag is, or was, in."""
    content: str = ""
    """The repository that its images are, or were, kept in."""
    adopted: bool = False
    """Whether its tag is somebody else's, and so stays."""
    runs: tuple[str, ...] = ()
    """The runs whose files are to be removed with it."""
    images: tuple[Digest, ...] = ()
    """The images that it held, until those that nobody else holds are removed."""
    time: float
    done: float | None = None
    """When everything was removed that can be."""
    retry_at: float | None = None
    message: str = ""
    """What could not be removed, and why."""


def write(connection: Connection, removal: Removal) -> None:
    """Write ``removal``, new or changed."""
    put(connection, removals, removal)


def find(connection: Connection, release: str) -> Removal | None:
    """The removal of the release called so."""
    row = connection.execute(select(removals).where(removals.c.release == release)).one_or_none()
    return from_row(row, Removal) if row is not None else None


def list_of(connection: Connection, stream: str = "", *, undone: bool = False) -> list[Removal]:
    """The removals of ``stream`` (of all streams, without), the oldest first.

    With ``undone``, only those of which something is left to do.
    """
    wanted = select(removals).order_by(removals.c.time, removals.c.release)
    if stream:
        wanted = wanted.where(removals.c.stream == stream)
    if undone:
        wanted = wanted.where(removals.c.done.is_(None))
    return [from_row(row, Removal) for row in connection.execute(wanted)]
