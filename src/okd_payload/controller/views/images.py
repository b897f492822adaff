# SPDX-License-Identifier: Apache-2.0
"""Images across releases: the history of one component, and what a digest or commit is part of.

Read from the frozen inputs of releases: no registry is asked. Digests and commits are searched
for by how they begin, names by any part.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec
from sqlalchemy import Column, ColumnElement, Connection, and_, select

from okd_payload.controller.model import FrozenInput, Phase, Release
from okd_payload.controller.records import releases as records
from okd_payload.controller.records.rows import from_rows
from okd_payload.controller.records.tables import inputs, releases
from okd_payload.controller.views.stream import escape_like

_IMAGE = (inputs.c.tag, inputs.c.digest, inputs.c.reference, inputs.c.source, inputs.c.commit)
_HEXADECIMAL = re.compile(r"[0-9a-f]{6,64}")
"""Digests and commits that are searched for; fewer digits find anything."""


class Appearance(msgspec.Struct, frozen=True, kw_only=True):
    """One image of a component, and the releases of a stream it was in one after the other."""

    stream: str
    image: FrozenInput
    releases: tuple[str, ...]
    """The newest first."""
    phases: tuple[Phase, ...]
    """Of these releases."""
    since: float
    """When the oldest of them was created."""


class FoundImage(msgspec.Struct, frozen=True, kw_only=True):
    """An image of a release."""

    release: str
    phase: Phase
    image: FrozenInput


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What a search finds."""

    releases: tuple[Release, ...] = ()
    components: tuple[str, ...] = ()
    images: tuple[FoundImage, ...] = ()
    """Those whose digest or commit begins like the search, in the newest releases first."""


def read_history(
    connection: Connection, tag: str, streams: Iterable[str], *, limit: int = 100
) -> tuple[Appearance, ...]:
    """The images called ``tag`` of the ``limit`` newest releases of each of ``streams``."""
    found: list[Appearance] = []
    for stream in streams:
        newest = {each.name: each for each in records.list_of(connection, stream, limit=limit)}
        wanted = select(inputs.c.release, *_IMAGE).where(
            inputs.c.release.in_(list(newest)), inputs.c.tag == tag
        )
        held = from_rows(connection.execute(wanted), _Held)
        images = {each.release: each.image for each in held}
        found += _fold([(each, images[name]) for name, each in newest.items() if name in images])
    return tuple(found)


def search(connection: Connection, text: str, streams: Iterable[str], *, limit: int = 50) -> Found:
    """Releases, components and images that ``text`` is part of the name of, or begins."""
    pattern = f"%{escape_like(text)}%"
    wanted = select(releases).where(releases.c.name.like(pattern, escape="\\"))
    order = wanted.order_by(releases.c.created.desc()).limit(limit)
    named = from_rows(connection.execute(order), Release)
    hexadecimal = text.lower().removeprefix("sha256:")
    is_hexadecimal = _HEXADECIMAL.fullmatch(hexadecimal) is not None
    digest = f"sha256:{hexadecimal}"
    if is_hexadecimal:
        payloads = select(releases).where(_begins(releases.c.digest, digest)).limit(limit)
        known = {each.name for each in named}
        more = from_rows(connection.execute(payloads), Release)
        named += [each for each in more if each.name not in known]
    return Found(
        releases=tuple(named[:limit]),
        components=_find_components(connection, pattern, streams),
        images=_find_images(connection, hexadecimal, limit=limit) if is_hexadecimal else (),
    )


class _Held(FrozenInput, frozen=True, kw_only=True):
    release: str
    phase: Phase = Phase.PENDING

    @property
    def image(self) -> FrozenInput:
        return FrozenInput(
            tag=self.tag,
            digest=self.digest,
            reference=self.reference,
            source=self.source,
            commit=self.commit,
        )


def _fold(held: list[tuple[Release, FrozenInput]]) -> list[Appearance]:
    """Neighbours with the same image as one."""
    found: list[Appearance] = []
    for release, image in held:
        last = found[-1] if found else None
        if last is not None and last.image.digest == image.digest:
            found[-1] = msgspec.structs.replace(
                last,
                releases=(*last.releases, release.name),
                phases=(*last.phases, release.phase),
                since=release.created,
            )
        else:
            found.append(
                Appearance(
                    stream=release.stream,
                    image=image,
                    releases=(release.name,),
                    phases=(release.phase,),
                    since=release.created,
                )
            )
    return found


def _find_components(
    connection: Connection, pattern: str, streams: Iterable[str]
) -> tuple[str, ...]:
    """Names of images of the newest release of each stream."""
    newest = [records.list_of(connection, stream, limit=1) for stream in streams]
    names = [each.name for found in newest for each in found]
    wanted = (
        select(inputs.c.tag)
        .where(inputs.c.release.in_(names), inputs.c.tag.like(pattern, escape="\\"))
        .distinct()
        .order_by(inputs.c.tag)
    )
    return tuple(connection.execute(wanted).scalars())


def _find_images(connection: Connection, text: str, *, limit: int) -> tuple[FoundImage, ...]:
    found: list[FoundImage] = []
    for column, prefix in ((inputs.c.digest, f"sha256:{text}"), (inputs.c.commit, text)):
        wanted = (
            select(inputs.c.release, releases.c.phase, *_IMAGE)
            .join(releases, releases.c.name == inputs.c.release)
            .where(_begins(column, prefix))
            .order_by(releases.c.created.desc(), inputs.c.tag)
            .limit(limit)
        )
        found += [
            FoundImage(release=each.release, phase=each.phase, image=each.image)
            for each in from_rows(connection.execute(wanted), _Held)
        ]
    return tuple(found[:limit])


def _begins(column: Column[str], prefix: str) -> ColumnElement[bool]:
    """That ``column`` begins with ``prefix``: a range, which an index answers.

    What is looked for is hexadecimal, and nothing hexadecimal sorts behind a ``g``, whatever the
    collation of the database.
    """
    return and_(column >= prefix, column < prefix + "g")
