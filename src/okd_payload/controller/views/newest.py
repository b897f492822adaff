# SPDX-License-Identifier: Apache-2.0
"""The newest releases of many streams at once: one question, answered from an index.

Each stream is a part of the question that reads its few newest rows, so it costs the same
however many releases there are. Asking stream by stream costs a way to the database for each.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from sqlalchemy import CompoundSelect, Connection, bindparam, select, union_all

from okd_payload.controller.model import Phase, Release
from okd_payload.controller.records.rows import from_rows
from okd_payload.controller.records.tables import releases

_MOST_PARTS = 100
"""Of one question: SQLite takes five hundred."""


def list_newest(
    connection: Connection, streams: Sequence[str], *, limit: int, phase: Phase | None = None
) -> dict[str, list[Release]]:
    """The ``limit`` newest releases of each of ``streams``, or of those in ``phase``."""
    found: dict[str, list[Release]] = {stream: [] for stream in streams}
    for start in range(0, len(streams), _MOST_PARTS):
        part = streams[start : start + _MOST_PARTS]
        given: dict[str, Any] = {f"stream_{place}": name for place, name in enumerate(part)}
        given |= {"limit": limit, "phase": phase.value if phase is not None else None}
        wanted = _make_question(len(part), of_phase=phase is not None)
        for release in from_rows(connection.execute(wanted, given), Release):
            found[release.stream].append(release)
    return found


@functools.cache
def _make_question(parts: int, *, of_phase: bool) -> CompoundSelect[*tuple[Any, ...]]:
    """The question about so many streams: made once, for making it takes longer than asking."""
    created, name = releases.c.created, releases.c.name
    asked = []
    for place in range(parts):
        wanted = select(releases).where(
            releases.c.stream == bindparam(f"stream_{place}"), releases.c.withdrawn.is_(None)
        )
        if of_phase:
            wanted = wanted.where(releases.c.phase == bindparam("phase"))
        newest = wanted.order_by(created.desc(), name.desc()).limit(bindparam("limit"))
        asked.append(select(newest.subquery()))
    return union_all(*asked)
