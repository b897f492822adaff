# SPDX-License-Identifier: Apache-2.0
"""Putting the changelog of two releases together: what they say themselves, and their histories.

Histories are read side by side, each once, however many images are built of it. One that cannot
be read leaves a remark in the changelog and nothing worse.
"""

from __future__ import annotations

from collections.abc import Iterable

from okd_payload.errors import OkdPayloadError
from okd_payload.imagestream.openshift import TagReference
from okd_payload.progress import Finished, Progress, Started, ignore_progress
from okd_payload.release import labels
from okd_payload.release.changelog.feature_gates import compare_gates
from okd_payload.release.changelog.messages import digest_commits
from okd_payload.release.changelog.model import (
    Changelog,
    Head,
    NamedImage,
    SourceChange,
    UpdatedSource,
    VersionChange,
)
from okd_payload.release.concurrency import map_concurrently
from okd_payload.release.load import Release
from okd_payload.release.report.compare import ChangedImage, changed_images
from okd_payload.release.report.describe import declared_versions, digest_or_pull_spec
from okd_payload.release.report.source_links import source_of
from okd_payload.release.times import parse_time
from okd_payload.release.versions import ComponentVersion, merge_for_display
from okd_payload.source.history import CommitRange, History

_AT_ONCE = 8
"""Histories under way: servers answer so many from one client without complaint."""


async def make_changelog(
    before: Release,
    after: Release,
    *,
    history: History,
    progress: Progress = ignore_progress,
) -> Changelog:
    """Everything that changed from ``before`` to ``after``.

    Problems with single repositories are in the result.
    """
    changed = [
        image for image in changed_images(before, after).values() if not image.is_at_another_place
    ]
    sources = find_source_changes(changed)

    async def read(source: SourceChange) -> UpdatedSource:
        subject = source.location or ", ".join(source.images)
        progress(Started(subject=subject, activity="read the history"))
        updated = await _read(source, history)
        outcome = updated.problem or f"{len(updated.changes)} changes"
        progress(Finished(subject=subject, outcome=outcome))
        return updated

    return Changelog(
        before=_head(before),
        after=_head(after),
        versions=compare_versions(before, after),
        gates=compare_gates(before, after),
        added=tuple(_name(image.after) for image in changed if image.after and not image.before),
        removed=tuple(_name(image.before) for image in changed if image.before and not image.after),
        rebuilt=tuple(
            _name(image.after)
            for image in changed
            if image.after and image.before and image.is_rebuilt
        ),
        updated=tuple(await map_concurrently(read, sources, at_once=_AT_ONCE)),
    )


def find_source_changes(changed: Iterable[ChangedImage]) -> list[SourceChange]:
    """The repositories that moved, by the first of their images; images of one move together."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for image in changed:
        if image.before and image.after and not image.is_rebuilt:
            new, old = _name(image.after), _name(image.before)
            found.setdefault((new.location, old.commit, new.commit), []).append(image.name)
    return [
        SourceChange(images=tuple(images), location=location, before=before, after=after)
        for (location, before, after), images in found.items()
    ]


def compare_versions(before: Release, after: Release) -> tuple[VersionChange, ...]:
    """The components whose version is not the same, by name."""
    old, _ = merge_for_display(declared_versions(before))
    new, _ = merge_for_display(declared_versions(after))
    nothing = ComponentVersion("")
    pairs = {key: (old.get(key, nothing), new.get(key, nothing)) for key in sorted(old | new)}
    return tuple(
        VersionChange(
            name=now.display_name or was.display_name or key, before=was.version, after=now.version
        )
        for key, (was, now) in pairs.items()
        if was.version != now.version
    )


async def _read(source: SourceChange, history: History) -> UpdatedSource:
    if not source.location:
        return UpdatedSource(source=source, problem="the image does not say where its source is")
    try:
        found = await history.between(source.location, source.before, source.after)
    except OkdPayloadError as error:
        return UpdatedSource(source=source, problem=error.message)
    return _describe(source, found)


def _describe(source: SourceChange, found: CommitRange) -> UpdatedSource:
    digested = digest_commits(found.commits)
    return UpdatedSource(
        source=source,
        changes=digested.changes,
        elided=digested.elided,
        left_behind=found.left_behind,
        gone=found.gone,
    )


def _head(release: Release) -> Head:
    image = release.content.image
    annotations = release.references.metadata.annotations
    return Head(
        name=release.name,
        created=parse_time(image.config.created)
        if image
        else release.references.metadata.creation_timestamp,
        digest=release.digest or "",
        promoted_from=(annotations or {}).get(labels.FROM_RELEASE, ""),
    )


def _name(tag: TagReference) -> NamedImage:
    location, commit = source_of(tag)
    return NamedImage(
        name=tag.name, location=location, commit=commit, digest=digest_or_pull_spec(tag)
    )
