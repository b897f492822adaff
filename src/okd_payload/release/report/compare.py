# SPDX-License-Identifier: Apache-2.0
"""Two releases side by side: images, manifests, versions."""

from __future__ import annotations

import base64
import difflib
from collections.abc import Iterator
from datetime import datetime

import msgspec

from okd_payload.imagestream.openshift import TagReference
from okd_payload.release import labels
from okd_payload.release.go_text import align
from okd_payload.release.load import Release
from okd_payload.release.report.describe import digest_or_pull_spec
from okd_payload.release.report.info_json import ReleaseInfo
from okd_payload.release.report.sizes import format_duration
from okd_payload.release.times import parse_time

_PADDING = 2
_KEYS = {"before": "from", "after": "to"}


class ChangedImage(msgspec.Struct, frozen=True, kw_only=True, rename=_KEYS):
    """A tag that is not the same image in both."""

    name: str
    before: TagReference | None
    after: TagReference | None

    @property
    def is_rebuilt(self) -> bool:
        """Whether both were built from the same source, as far as anybody knows."""
        before, after = (_commit(tag) for tag in (self.before, self.after))
        return not (before and after) or before == after


class ChangedManifest(msgspec.Struct, frozen=True, kw_only=True, rename=_KEYS):
    """A file that is not the same in both, in base64."""

    filename: str
    before: str | None
    after: str | None


class Comparison(msgspec.Struct, frozen=True, kw_only=True, rename=_KEYS):
    """The whole difference, as ``oc adm release info -o json`` prints it."""

    before: ReleaseInfo
    after: ReleaseInfo
    changed_images: dict[str, ChangedImage] = msgspec.field(name="changedImages")
    changed_manifests: dict[str, ChangedManifest] = msgspec.field(name="changedManifests")


def changed_images(before: Release, after: Release) -> dict[str, ChangedImage]:
    """Every tag whose image differs, by name."""
    old = {tag.name: tag for tag in before.tags}
    new = {tag.name: tag for tag in after.tags}
    return {
        name: ChangedImage(name=name, before=old.get(name), after=new.get(name))
        for name in sorted(old | new)
        if _shown(old.get(name)) != _shown(new.get(name))
    }


def changed_manifests(before: Release, after: Release) -> dict[str, ChangedManifest]:
    """Every manifest that differs, by file name."""
    old, new = before.content.manifests, after.content.manifests
    return {
        name: ChangedManifest(
            filename=name, before=_encode(old.get(name)), after=_encode(new.get(name))
        )
        for name in sorted(old | new)
        if old.get(name) != new.get(name)
    }


def describe_comparison(before: Release, after: Release, *, now: datetime) -> str:
    """The difference as text, laid out as ``oc`` lays it out."""
    if before.digest and before.digest == after.digest:
        return "Releases are identical\n"
    changed = changed_images(before, after)
    sections = [_describe_heads(before, after, now), _describe_versions(before, after)]
    text = "".join(align([*section, ""], padding=_PADDING) for section in sections)
    width = max((len(name) for name in changed), default=0)
    return text + "".join(_describe_images(changed, width))


def unified_diff(before: Release, after: Release) -> str:
    """The manifests that differ, line by line."""
    old, new = before.content.manifests, after.content.manifests
    lines: list[str] = []
    for name in changed_manifests(before, after):
        lines += difflib.unified_diff(
            _lines(old.get(name, b"")),
            _lines(new.get(name, b"")),
            fromfile=f"{before.name}/{name}" if name in old else "/dev/null",
            tofile=f"{after.name}/{name}" if name in new else "/dev/null",
        )
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def _describe_heads(before: Release, after: Release, now: datetime) -> list[str]:
    lines = [
        "\tFROM\tTO",
        f"Name:\t{before.name}\t{after.name}",
        f"Created:\t{_age(before, now)}\t{_age(after, now)}",
    ]
    old, new = _platform(before), _platform(after)
    return [*lines, f"OS/Arch:\t{old}\t{new}"] if old != new else lines


def _describe_versions(before: Release, after: Release) -> list[str]:
    old = before.metadata.version if before.metadata else ""
    new = after.metadata.version if after.metadata else ""
    may = after.metadata is not None and old in after.metadata.previous
    return [f"Version:\t{old}\t{new}", f"Upgrade From:\t\t{'Yes' if may else 'No'}"]


def _describe_images(changed: dict[str, ChangedImage], width: int) -> Iterator[str]:
    both = [image for image in changed.values() if image.before and image.after]
    groups = {
        "Images Changed": [image for image in both if not image.is_rebuilt],
        "Images Rebuilt": [image for image in both if image.is_rebuilt],
        "Images Added": [image for image in changed.values() if image.before is None],
        "Images Removed": [image for image in changed.values() if image.after is None],
    }
    for title, images in groups.items():
        if images:
            yield f"{title}:\n"
            for image in images:
                removed = image.after is None
                shown = [] if removed else [_shown(image.before), _shown(image.after)]
                cells = [image.name if removed else image.name.ljust(width), *filter(None, shown)]
                yield f"  {' '.join(cells)}\n"
            yield "\n"


def _age(release: Release, now: datetime) -> str:
    image = release.content.image
    created = parse_time(image.config.created) if image else None
    return format_duration((now - created).total_seconds()) if created else ""


def _platform(release: Release) -> str:
    image = release.content.image
    return f"{image.config.os}/{image.config.architecture}" if image else ""


def _shown(tag: TagReference | None) -> str:
    return digest_or_pull_spec(tag) if tag else ""


def _commit(tag: TagReference | None) -> str:
    return (tag.annotations or {}).get(labels.COMMIT_ID, "") if tag else ""


def _encode(content: bytes | None) -> str | None:
    return None if content is None else base64.b64encode(content).decode()


def _lines(content: bytes) -> list[str]:
    return content.decode(errors="replace").splitlines(keepends=True)
