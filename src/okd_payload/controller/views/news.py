# SPDX-License-Identifier: Apache-2.0
"""Releases that were decided lately, and in which images each differs from the one before it."""

from __future__ import annotations

from collections.abc import Collection

import msgspec
from sqlalchemy import Connection, select

from okd_payload.controller.model import Phase, Release
from okd_payload.controller.records import releases as records
from okd_payload.controller.records.rows import from_rows
from okd_payload.controller.records.tables import releases
from okd_payload.controller.views.overview import find_accepted
from okd_payload.controller.views.release import ImageChange, compare_images

DECIDED = tuple(phase for phase in Phase if phase.is_final)


class News(msgspec.Struct, frozen=True, kw_only=True):
    """One decided release."""

    release: Release
    base: str = ""
    """The accepted release before it."""
    changes: tuple[ImageChange, ...] = ()
    """Since ``base``."""


def read_news(
    connection: Connection,
    *,
    stream: str = "",
    phases: Collection[Phase] = DECIDED,
    limit: int = 30,
) -> tuple[News, ...]:
    """The releases of ``stream`` (of all, without) that came last to one of ``phases``.

    The newest are first.
    """
    decided = [phase.value for phase in phases]
    wanted = select(releases).where(releases.c.phase.in_(decided), releases.c.withdrawn.is_(None))
    if stream:
        wanted = wanted.where(releases.c.stream == stream)
    order = wanted.order_by(releases.c.changed.desc(), releases.c.name.desc()).limit(limit)
    found = from_rows(connection.execute(order), Release)
    return tuple(_compare(connection, release) for release in found)


def _compare(connection: Connection, release: Release) -> News:
    base = find_accepted(connection, release.stream, before=release.created)
    if base is None:
        return News(release=release)
    former = records.read_inputs(connection, base.name)
    images = records.read_inputs(connection, release.name)
    return News(release=release, base=base.name, changes=compare_images(former, images))
