# SPDX-License-Identifier: Apache-2.0
"""What the page of one release shows, and in which images two releases differ.

Read from the records alone: a page is quick while a registry is away. An image differs when its
digest does; with the same commit it was only built again. What changed in its source, and in the
manifests, is told by the changelog, which reads the payloads.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, select

from okd_payload.controller.model import (
    Edge,
    FrozenInput,
    Publication,
    Release,
    Transition,
    VerificationRun,
)
from okd_payload.controller.records import releases as records
from okd_payload.controller.records import runs, streams
from okd_payload.controller.records.tables import releases
from okd_payload.controller.views.overview import find_accepted


class Alteration(enum.Enum):
    """In which way an image differs between two releases."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    REBUILT = "rebuilt"
    """Another image of the same commit."""


class ImageChange(msgspec.Struct, frozen=True, kw_only=True):
    """One image in which two releases differ."""

    tag: str
    alteration: Alteration
    before: FrozenInput | None = None
    after: FrozenInput | None = None

    @property
    def source(self) -> str:
        """Where its source code is, where an image says so."""
        told = [each.source for each in (self.after, self.before) if each is not None]
        return next((source for source in told if source), "")


class ReleaseView(msgspec.Struct, frozen=True, kw_only=True):
    """Everything recorded about one release."""

    release: Release
    images: tuple[FrozenInput, ...] = ()
    transitions: tuple[Transition, ...] = ()
    runs: tuple[VerificationRun, ...] = ()
    publications: tuple[Publication, ...] = ()
    updates_in: tuple[Edge, ...] = ()
    updates_out: tuple[Edge, ...] = ()
    base: Release | None = None
    """The accepted release before it, with which it is compared."""
    changes: tuple[ImageChange, ...] = ()
    """Since ``base``."""
    older: str = ""
    newer: str = ""


def read_release(connection: Connection, name: str) -> ReleaseView | None:
    """The release called ``name`` with all that hangs on it; None where there is none."""
    release = records.find(connection, name)
    if release is None:
        return None
    images = records.read_inputs(connection, name)
    base = find_accepted(connection, release.stream, before=release.created)
    former = records.read_inputs(connection, base.name) if base is not None else []
    return ReleaseView(
        release=release,
        images=tuple(images),
        transitions=tuple(records.read_transitions(connection, name)),
        runs=tuple(runs.list_of(connection, [name])[name]),
        publications=tuple(streams.read_publications(connection, names=[name])),
        updates_in=tuple(streams.read_edges(connection, target=name)),
        updates_out=tuple(streams.read_edges(connection, source=name)),
        base=base,
        changes=compare_images(former, images) if base is not None else (),
        older=_neighbour(connection, release, newer=False),
        newer=_neighbour(connection, release, newer=True),
    )


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two releases and the images in which they differ."""

    before: Release
    after: Release
    changes: tuple[ImageChange, ...]
    same: int
    """How many images are the same in both."""


def read_comparison(connection: Connection, before: str, after: str) -> Comparison | None:
    """What differs from the one release to the other; None where one of them is unknown."""
    first, second = records.find(connection, before), records.find(connection, after)
    if first is None or second is None:
        return None
    old = records.read_inputs(connection, before)
    new = records.read_inputs(connection, after)
    known = {(image.tag, image.digest) for image in old}
    return Comparison(
        before=first,
        after=second,
        changes=compare_images(old, new),
        same=sum((image.tag, image.digest) in known for image in new),
    )


def compare_images(
    before: Sequence[FrozenInput], after: Sequence[FrozenInput]
) -> tuple[ImageChange, ...]:
    """What differs from ``before`` to ``after``, by tag."""
    old = {image.tag: image for image in before}
    new = {image.tag: image for image in after}
    changes = []
    for tag in sorted(old.keys() | new.keys()):
        alteration = _alteration(old.get(tag), new.get(tag))
        if alteration is not None:
            changes.append(
                ImageChange(tag=tag, alteration=alteration, before=old.get(tag), after=new.get(tag))
            )
    return tuple(changes)


def _alteration(old: FrozenInput | None, new: FrozenInput | None) -> Alteration | None:
    if old is None:
        return Alteration.ADDED
    if new is None:
        return Alteration.REMOVED
    if old.digest == new.digest:
        return None
    same = bool(new.commit) and (old.source, old.commit) == (new.source, new.commit)
    return Alteration.REBUILT if same else Alteration.CHANGED


def _neighbour(connection: Connection, release: Release, *, newer: bool) -> str:
    """The name of the release beside ``release`` in its stream."""
    created = releases.c.created
    wanted = select(releases.c.name).where(
        releases.c.stream == release.stream,
        releases.c.withdrawn.is_(None),
        created > release.created if newer else created < release.created,
    )
    order = created.asc() if newer else created.desc()
    found = connection.execute(wanted.order_by(order).limit(1)).scalar_one_or_none()
    return str(found or "")
