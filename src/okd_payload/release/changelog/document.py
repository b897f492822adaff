# SPDX-License-Identifier: Apache-2.0
"""A changelog as the object that ``oc adm release info --changelog -o json`` prints.

Keys, and the order of keys, are those of ``oc``, because scripts read them; what only we know
stands behind them. Values come from ``model`` and are not judged here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from okd_payload.release.changelog.forges import Forge, find_forge
from okd_payload.release.changelog.model import (
    Change,
    Changelog,
    Head,
    NamedImage,
    Ticket,
    UpdatedSource,
)
from okd_payload.release.changelog.trackers import address_of
from okd_payload.release.times import from_seconds


class PrintedHead(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One of the two releases."""

    name: str
    created: datetime | None
    digest: str
    promoted_from: str


class PrintedVersion(msgspec.Struct, frozen=True, kw_only=True, rename={"before": "from"}):
    """A component whose version changed."""

    name: str
    version: str
    before: str


class PrintedGate(msgspec.Struct, frozen=True, kw_only=True):
    """A feature gate, and its state for each kind of cluster."""

    name: str
    status: dict[str, str]


class PrintedImage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An image that is new, gone or rebuilt."""

    name: str
    path: str
    short_commit: str
    commit: str
    image_ref: str
    commit_url: str = msgspec.field(name="commitURL")


class PrintedChange(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One change."""

    bugs: dict[str, str]
    issues: dict[str, str]
    subject: str
    pull_id: int = msgspec.field(name="pullID")
    pull_url: str = msgspec.field(name="pullURL")
    commit_id: str = msgspec.field(name="commitID")
    commit_url: str = msgspec.field(name="commitURL")
    commit_date: datetime


class PrintedSource(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A repository that moved; what stands behind ``full_change_log`` is ours alone."""

    name: str
    path: str
    commits: tuple[PrintedChange, ...]
    elided_commits: int
    full_change_log: str
    location: str
    left_behind_commits: int
    gone_commit: str
    problem: str


class PrintedChangelog(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The whole object."""

    before: PrintedHead = msgspec.field(name="from")
    after: PrintedHead = msgspec.field(name="to")
    components: tuple[PrintedVersion, ...]
    feature_gates: tuple[PrintedGate, ...]
    new_images: tuple[PrintedImage, ...]
    removed_images: tuple[PrintedImage, ...]
    rebuilt_images: tuple[PrintedImage, ...]
    updated_images: tuple[PrintedSource, ...]


def print_changelog(changelog: Changelog) -> PrintedChangelog:
    """``changelog`` with the keys that scripts know."""
    columns = changelog.gates.columns
    return PrintedChangelog(
        before=_head(changelog.before),
        after=_head(changelog.after),
        components=tuple(
            PrintedVersion(name=item.name, version=item.after, before=item.before)
            for item in changelog.versions
        ),
        feature_gates=tuple(
            PrintedGate(name=gate.name, status=dict(zip(columns, gate.states, strict=True)))
            for gate in changelog.gates.gates
        ),
        new_images=tuple(map(_image, changelog.added)),
        removed_images=tuple(map(_image, changelog.removed)),
        rebuilt_images=tuple(map(_image, changelog.rebuilt)),
        updated_images=tuple(map(_source, changelog.updated)),
    )


def _head(head: Head) -> PrintedHead:
    return PrintedHead(
        name=head.name,
        created=head.created,
        digest=head.digest,
        promoted_from=head.promoted_from,
    )


def _image(image: NamedImage) -> PrintedImage:
    forge = find_forge(image.location)
    return PrintedImage(
        name=image.name,
        path=forge.address if forge else image.location,
        short_commit=image.commit[:8],
        commit=image.commit,
        image_ref=image.digest,
        commit_url=forge.commit(image.commit) if forge and image.commit else "",
    )


def _source(updated: UpdatedSource) -> PrintedSource:
    source = updated.source
    forge = find_forge(source.location)
    return PrintedSource(
        name=", ".join(source.images),
        path=forge.tree(source.after) if forge else source.location,
        commits=tuple(_change(change, forge) for change in updated.changes),
        elided_commits=updated.elided,
        full_change_log=forge.comparison(source.before, source.after) if forge else "",
        location=source.location,
        left_behind_commits=updated.left_behind,
        gone_commit=updated.gone,
        problem=updated.problem,
    )


def _change(change: Change, forge: Forge | None) -> PrintedChange:
    bugs = [ticket for ticket in change.tickets if ticket.is_bugzilla]
    issues = [ticket for ticket in change.tickets if not ticket.is_bugzilla]
    return PrintedChange(
        bugs=_addresses(bugs),
        issues=_addresses(issues),
        subject=change.subject,
        pull_id=change.request,
        pull_url=forge.request(change.request) if forge else "",
        commit_id=change.commit,
        commit_url=forge.commit(change.commit) if forge else "",
        commit_date=from_seconds(change.time),
    )


def _addresses(tickets: Sequence[Ticket]) -> dict[str, str]:
    return {ticket.key: address_of(ticket) for ticket in tickets}
