# SPDX-License-Identifier: Apache-2.0
"""What graphs need of releases and their payloads, and no more: one narrow question for them all.

A graph shows every release that there is, so its first reader waits until all are read. Of a
release that was removed, only what its payload said is left.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, select

from okd_payload.controller.model import Phase
from okd_payload.controller.records.tables import payloads, releases


class KnownRelease(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A release, and what its payload says."""

    name: str
    stream: str
    phase: Phase | None
    """None when it was removed."""
    digest: str = ""
    pull_spec: str = ""
    reason: str = ""
    withdrawn: bool = False
    version: str = ""
    """This and what follows are the payload's words; empty while nobody has read it."""
    previous: tuple[str, ...] = ()
    following: tuple[str, ...] = ()
    architecture: str = ""
    url: str = ""
    read_from: str = ""
    """The pull spec of the payload that was read, by digest."""


_SAID = (
    payloads.c.version,
    payloads.c.previous,
    payloads.c.following,
    payloads.c.architecture,
    payloads.c.url,
    payloads.c.pull_spec.label("read_from"),
)
_THERE = select(
    releases.c.name,
    releases.c.stream,
    releases.c.phase,
    releases.c.digest,
    releases.c.pull_spec,
    releases.c.reason,
    releases.c.withdrawn,
    *_SAID,
).select_from(releases.outerjoin(payloads, payloads.c.release == releases.c.name))
_GONE = (
    select(payloads.c.release, payloads.c.stream, payloads.c.digest, *_SAID)
    .select_from(payloads.outerjoin(releases, payloads.c.release == releases.c.name))
    .where(releases.c.name.is_(None))
)
_PHASES = {phase.value: phase for phase in Phase}


def read_known(connection: Connection, names: Collection[str] | None = None) -> list[KnownRelease]:
    """All releases, withdrawn and removed ones too, or those called ``names``."""
    there, gone = _THERE, _GONE
    if names is not None:
        there = there.where(releases.c.name.in_(names))
        gone = gone.where(payloads.c.release.in_(names))
    return [*_read_there(connection, there), *_read_gone(connection, gone)]


def _read_there(connection: Connection, wanted: Select[Any]) -> list[KnownRelease]:
    return [
        KnownRelease(
            name=name,
            stream=stream,
            phase=_PHASES[phase],
            digest=digest or "",
            pull_spec=pull_spec,
            reason=reason,
            withdrawn=withdrawn is not None,
            version=version or "",
            previous=_names(previous),
            following=_names(following),
            architecture=architecture or "",
            url=url or "",
            read_from=read_from or "",
        )
        for (
            name,
            stream,
            phase,
            digest,
            pull_spec,
            reason,
            withdrawn,
            version,
            previous,
            following,
            architecture,
            url,
            read_from,
        ) in connection.execute(wanted)
    ]


def _read_gone(connection: Connection, wanted: Select[Any]) -> list[KnownRelease]:
    return [
        KnownRelease(
            name=name,
            stream=stream,
            phase=None,
            digest=digest,
            withdrawn=True,
            version=version,
            following=_names(following),
            architecture=architecture,
            url=url,
            read_from=read_from,
        )
        for name, stream, digest, version, _, following, architecture, url, read_from in (
            connection.execute(wanted)
        )
    ]


def _names(text: str | None) -> tuple[str, ...]:
    """The names in a column: of most payloads there are none."""
    return () if text in (None, "[]") else msgspec.json.decode(text, type=tuple[str, ...])
