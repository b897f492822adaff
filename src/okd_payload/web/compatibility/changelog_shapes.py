# SPDX-License-Identifier: Apache-2.0
"""A changelog as the old interface has it in JSON: what is empty is left out.

Links to the version of an operating system lead to a host that only Red Hat reaches; there are
none here.
"""

from __future__ import annotations

import datetime as dt

import msgspec

from okd_payload.release.changelog.document import (
    PrintedChange,
    PrintedHead,
    PrintedImage,
    PrintedSource,
    print_changelog,
)
from okd_payload.release.changelog.model import Changelog
from okd_payload.release.times import format_time

_NEVER = "0001-01-01T00:00:00Z"


class Fields(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Base of all parts."""


class Head(Fields, frozen=True, kw_only=True, omit_defaults=False):
    """One of the two releases; of zeros when there is none."""

    name: str = ""
    created: str = _NEVER
    digest: str = ""


class PromotedHead(Head, frozen=True, kw_only=True):
    """One that was made of another release."""

    promoted_from: str


class Component(Fields, frozen=True, kw_only=True):
    """A component whose version changed."""

    name: str
    version: str
    before: str = msgspec.field(name="from", default="")


class Image(Fields, frozen=True, kw_only=True):
    """An image that is new, gone or rebuilt."""

    name: str
    path: str
    short_commit: str = ""
    commit: str = ""
    image_ref: str = ""


class Commit(Fields, frozen=True, kw_only=True):
    """One change."""

    subject: str
    bugs: dict[str, str] = {}
    issues: dict[str, str] = {}
    pull_id: int = msgspec.field(name="pullID", default=0)
    pull_url: str = msgspec.field(name="pullURL", default="")


class Source(Fields, frozen=True, kw_only=True):
    """A repository that moved."""

    name: str
    path: str
    commits: tuple[Commit, ...] = ()
    full_change_log: str = ""


class ShownChangelog(Fields, frozen=True, kw_only=True):
    """The whole changelog."""

    before: Head = msgspec.field(name="from")
    after: Head = msgspec.field(name="to")
    components: tuple[Component, ...] = ()
    new_images: tuple[Image, ...] = ()
    removed_images: tuple[Image, ...] = ()
    rebuilt_images: tuple[Image, ...] = ()
    updated_images: tuple[Source, ...] = ()


def no_changelog() -> ShownChangelog:
    """What stands where nothing was compared."""
    return ShownChangelog(before=Head(), after=Head())


def show_changelog(changelog: Changelog) -> ShownChangelog:
    """``changelog`` with the fields that scripts know."""
    printed = print_changelog(changelog)
    return ShownChangelog(
        before=_head(printed.before),
        after=_head(printed.after),
        components=tuple(
            Component(name=each.name, version=each.version, before=each.before)
            for each in printed.components
        ),
        new_images=tuple(map(_image, printed.new_images)),
        removed_images=tuple(Image(name=each.name, path="") for each in printed.removed_images),
        rebuilt_images=tuple(map(_image, printed.rebuilt_images)),
        updated_images=tuple(map(_source, printed.updated_images)),
    )


def _head(head: PrintedHead) -> Head:
    created = _moment(head.created)
    if head.promoted_from:
        return PromotedHead(
            name=head.name,
            created=created,
            digest=head.digest,
            promoted_from=head.promoted_from,
        )
    return Head(name=head.name, created=created, digest=head.digest)


def _image(image: PrintedImage) -> Image:
    return Image(
        name=image.name,
        path=image.path,
        short_commit=image.short_commit,
        commit=image.commit,
        image_ref=image.image_ref,
    )


def _source(source: PrintedSource) -> Source:
    return Source(
        name=source.name,
        path=source.path,
        commits=tuple(map(_commit, source.commits)),
        full_change_log=source.full_change_log,
    )


def _commit(change: PrintedChange) -> Commit:
    return Commit(
        subject=change.subject,
        bugs=change.bugs,
        issues=change.issues,
        pull_id=change.pull_id,
        pull_url=change.pull_url,
    )


def _moment(moment: dt.datetime | None) -> str:
    return format_time(moment) if moment is not None else _NEVER
