# SPDX-License-Identifier: Apache-2.0
"""Releases by name and age only, for lists of all: of twenty thousand nobody needs more."""

from __future__ import annotations

from collections.abc import Collection

import msgspec
from sqlalchemy import Connection, select

from okd_payload.controller.model import Phase, Release
from okd_payload.controller.records.rows import from_rows
from okd_payload.controller.records.tables import releases


class NamedRelease(msgspec.Struct, frozen=True, gc=False):
    """A release, as far as lists show it."""

    name: str
    stream: str
    created: float


def list_names(
    connection: Connection, phase: Phase | None = None, *, stream: str = ""
) -> list[NamedRelease]:
    """All releases that are not withdrawn, or those in ``phase`` and of ``stream``."""
    wanted = select(releases.c.name, releases.c.stream, releases.c.created)
    wanted = wanted.where(releases.c.withdrawn.is_(None))
    if phase is not None:
        wanted = wanted.where(releases.c.phase == phase.value)
    if stream:
        wanted = wanted.where(releases.c.stream == stream)
    return [NamedRelease(*row) for row in connection.execute(wanted).all()]


def find_all(connection: Connection, names: Collection[str]) -> list[Release]:
    """The releases called ``names`` that are there and not withdrawn."""
    wanted = select(releases).where(releases.c.name.in_(names), releases.c.withdrawn.is_(None))
    return from_rows(connection.execute(wanted), Release)
