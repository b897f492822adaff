# SPDX-License-Identifier: Apache-2.0
"""Everything in which two releases differ, as one value: images, versions, manifests.

``compare`` has the layouts and the keys that ``oc`` prints; this is what ``release diff`` prints,
which says of each image why it is another one, and of each manifest what changed in it.
"""

from __future__ import annotations

import difflib
import enum
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from okd_payload.imagestream.openshift import TagReference
from okd_payload.release.load import Release
from okd_payload.release.report.compare import ChangedImage, changed_images
from okd_payload.release.report.describe import declared_versions, digest_or_pull_spec
from okd_payload.release.report.source_links import source_of
from okd_payload.release.versions import merge_for_display

_NOWHERE = "/dev/null"


class Fate(enum.StrEnum):
    """What happened to something between the two releases."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    REBUILT = "rebuilt"
    """Another image of the same source, as far as anybody knows."""
    MOVED = "moved"
    """Built from another repository than before."""


class ImageState(msgspec.Struct, frozen=True, kw_only=True):
    """An image as one of the releases has it."""

    digest: str
    """Its digest, or its pull spec when that names none."""
    source: str = ""
    commit: str = ""


class ImageDifference(msgspec.Struct, frozen=True, kw_only=True):
    """A tag that is not the same image in both."""

    name: str
    fate: Fate
    before: ImageState | None
    after: ImageState | None


class VersionDifference(msgspec.Struct, frozen=True, kw_only=True):
    """A component whose version is not the same in both; None where it has none."""

    name: str
    before: str | None
    after: str | None


class ManifestDifference(msgspec.Struct, frozen=True, kw_only=True):
    """A manifest that is not the same in both, line by line."""

    name: str
    fate: Fate
    added_lines: int
    removed_lines: int
    diff: str
    """A unified diff."""


class ReleaseHead(msgspec.Struct, frozen=True, kw_only=True):
    """What one of the two is."""

    name: str
    digest: str
    version: str
    """The version in its metadata, empty without metadata."""
    previous: tuple[str, ...] = ()
    """The versions that may be updated to it."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """The whole difference."""

    before: ReleaseHead
    after: ReleaseHead
    may_update: bool
    """Whether the newer one says that it can be reached from the older one."""
    images: tuple[ImageDifference, ...]
    versions: tuple[VersionDifference, ...]
    manifests: tuple[ManifestDifference, ...]

    @property
    def is_empty(self) -> bool:
        """Whether clusters would notice nothing."""
        return not (self.images or self.versions or self.manifests)


def find_difference(before: Release, after: Release) -> Difference:
    """Everything in which ``after`` differs from ``before``."""
    old, new = _head(before), _head(after)
    return Difference(
        before=old,
        after=new,
        may_update=bool(old.version) and old.version in new.previous,
        images=tuple(
            _describe_image(image)
            for image in changed_images(before, after).values()
            if not image.is_at_another_place
        ),
        versions=tuple(_compare_versions(before, after)),
        manifests=tuple(_compare_manifests(before, after)),
    )


def describe_difference(difference: Difference, *, unified: bool) -> str:
    """The difference as text; ``unified`` shows the lines of manifests that changed, too."""
    before, after = difference.before, difference.after
    sections = [
        [
            f"from {before.name} {before.digest}".rstrip(),
            f"to   {after.name} {after.digest}".rstrip(),
            *_show_update(difference),
        ],
        _title("versions", map(_show_version, difference.versions)),
        *(
            _title(f"images {fate}", _show_images(difference.images, fate))
            for fate in (Fate.CHANGED, Fate.MOVED, Fate.REBUILT, Fate.ADDED, Fate.REMOVED)
        ),
        *(
            _title(f"manifests {fate}", _show_manifests(difference.manifests, fate))
            for fate in (Fate.CHANGED, Fate.ADDED, Fate.REMOVED)
        ),
    ]
    text = "\n".join("".join(f"{line}\n" for line in lines) for lines in sections if lines)
    if difference.is_empty:
        text += "\nnothing differs\n"
    if unified and difference.manifests:
        text += "\n" + "".join(manifest.diff for manifest in difference.manifests)
    return text


def _show_update(difference: Difference) -> list[str]:
    """Whether one leads to the other; of a release and itself there is nothing to say."""
    before, after = difference.before, difference.after
    if (before.version, before.digest) == (after.version, after.digest):
        return []
    offered = "is" if difference.may_update else "is not"
    return [f"an update from {before.version or before.name} {offered} offered"]


def _head(release: Release) -> ReleaseHead:
    metadata = release.metadata
    return ReleaseHead(
        name=release.name,
        digest=release.digest or "",
        version=metadata.version if metadata else "",
        previous=tuple(metadata.previous) if metadata else (),
    )


def _describe_image(image: ChangedImage) -> ImageDifference:
    before, after = _state(image.before), _state(image.after)
    return ImageDifference(
        name=image.name, fate=_fate_of(image, before, after), before=before, after=after
    )


def _fate_of(image: ChangedImage, before: ImageState | None, after: ImageState | None) -> Fate:
    if before is None:
        return Fate.ADDED
    if after is None:
        return Fate.REMOVED
    if before.source and after.source and before.source != after.source:
        return Fate.MOVED
    return Fate.REBUILT if image.is_rebuilt else Fate.CHANGED


def _state(tag: TagReference | None) -> ImageState | None:
    if tag is None:
        return None
    source, commit = source_of(tag)
    return ImageState(digest=digest_or_pull_spec(tag), source=source, commit=commit)


def _compare_versions(before: Release, after: Release) -> Iterator[VersionDifference]:
    old, _ = merge_for_display(declared_versions(before))
    new, _ = merge_for_display(declared_versions(after))
    for name in sorted(old | new):
        was = old[name].version if name in old else None
        now = new[name].version if name in new else None
        if was != now:
            yield VersionDifference(name=name, before=was, after=now)


def _compare_manifests(before: Release, after: Release) -> Iterator[ManifestDifference]:
    old, new = before.content.manifests, after.content.manifests
    for name in sorted(old | new):
        was, now = old.get(name), new.get(name)
        if was == now:
            continue
        lines = _unified(
            _lines(was or b""),
            _lines(now or b""),
            before=_NOWHERE if was is None else f"{before.name}/{name}",
            after=_NOWHERE if now is None else f"{after.name}/{name}",
        )
        fate = Fate.ADDED if was is None else Fate.REMOVED if now is None else Fate.CHANGED
        yield ManifestDifference(
            name=name,
            fate=fate,
            added_lines=_count(lines, "+"),
            removed_lines=_count(lines, "-"),
            diff="".join(lines),
        )


def _unified(old: Sequence[str], new: Sequence[str], *, before: str, after: str) -> list[str]:
    lines = difflib.unified_diff(old, new, fromfile=before, tofile=after)
    marked = "\n\\ No newline at end of file\n"
    return [line if line.endswith("\n") else line + marked for line in lines]


def _count(lines: Sequence[str], mark: str) -> int:
    """Lines that begin with ``mark``, but for the two that name the files."""
    return sum(line.startswith(mark) for line in lines[2:])


def _lines(content: bytes) -> list[str]:
    return content.decode(errors="replace").splitlines(keepends=True)


def _title(title: str, lines: Iterable[str]) -> list[str]:
    listed = [f"  {line}" for line in lines]
    return [f"{title}:", *listed] if listed else []


def _show_version(version: VersionDifference) -> str:
    return f"{version.name} {version.before or '(none)'} -> {version.after or '(none)'}"


def _show_images(images: Iterable[ImageDifference], fate: Fate) -> Iterator[str]:
    for image in images:
        if image.fate is fate:
            states = [state for state in (image.before, image.after) if state]
            yield f"{image.name} {' -> '.join(state.digest for state in states)}"
            if fate is Fate.CHANGED:
                commits = " -> ".join(_short(state) for state in states)
                yield f"  {states[1].source or '(unknown)'} {commits}"
            elif fate is Fate.MOVED:
                yield f"  {' -> '.join(f'{state.source} {_short(state)}' for state in states)}"


def _short(state: ImageState) -> str:
    return state.commit[:12] or "(unknown)"


def _show_manifests(manifests: Iterable[ManifestDifference], fate: Fate) -> Iterator[str]:
    for manifest in manifests:
        if manifest.fate is fate:
            yield f"{manifest.name} +{manifest.added_lines} -{manifest.removed_lines}"
