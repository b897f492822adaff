# SPDX-License-Identifier: Apache-2.0
"""Two releases side by side: images, manifests, versions.

An image that only lies at another place is a change for programs and is not shown to people.
Releases with one digest are called identical without a look inside. Layouts are those of ``oc``.
"""

from __future__ import annotations

import base64
import difflib
from collections.abc import Sequence
from datetime import datetime

import msgspec

from okd_payload.imagestream.openshift import TagReference
from okd_payload.release.go_text import align
from okd_payload.release.inputs import pull_spec_of
from okd_payload.release.load import Release
from okd_payload.release.report.describe import (
    digest_or_pull_spec,
    shown_name,
    shown_platform,
)
from okd_payload.release.report.info_json import ReleaseInfo
from okd_payload.release.report.sizes import format_duration
from okd_payload.release.report.source_links import link_change, link_new_commit, source_of
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
        before, after = (source_of(tag)[1] if tag else "" for tag in (self.before, self.after))
        return not (before and after) or before == after

    @property
    def is_at_another_place(self) -> bool:
        """Whether nothing but the repository of the image differs."""
        return _shown(self.before) == _shown(self.after)


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
    """Every tag whose image differs, or its place alone, by name."""
    old = {tag.name: tag for tag in before.tags}
    new = {tag.name: tag for tag in after.tags}
    return {
        name: ChangedImage(name=name, before=old.get(name), after=new.get(name))
        for name in sorted(old | new)
        if _pull_spec(old.get(name)) != _pull_spec(new.get(name))
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


def describe_comparison(
    before: Release, after: Release, *, now: datetime, commits: bool = False
) -> str:
    """The difference as text, laid out as ``oc`` lays it out.

    With ``commits``, images are shown by what changed in their sources.
    """
    if before.digest and before.digest == after.digest:
        return "Releases are identical\n"
    changed = changed_images(before, after)
    sections = [_describe_heads(before, after, now), _describe_versions(before, after)]
    text = "".join(align([*section, ""], padding=_PADDING) for section in sections if section)
    width = max((len(name) for name in changed), default=0)
    shown = [image for image in changed.values() if not image.is_at_another_place]
    return text + _describe_images(shown, width, commits=commits)


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
        f"Name:\t{shown_name(before)}\t{shown_name(after)}",
        f"Created:\t{_age(before, now)}\t{_age(after, now)}",
    ]
    old, new = shown_platform(before), shown_platform(after)
    return [*lines, f"OS/Arch:\t{old}\t{new}"] if old != new else lines


def _describe_versions(before: Release, after: Release) -> list[str]:
    old, new = before.metadata, after.metadata
    if old and new:
        may = "Yes" if old.version in new.previous else "No"
        return [f"Version:\t{old.version}\t{new.version}", f"Upgrade From:\t\t{may}"]
    if old or new:
        return [f"Has Release Metadata:\t{'Yes' if old else ''}\t{'Yes' if new else ''}"]
    return []


def _describe_images(changed: Sequence[ChangedImage], width: int, *, commits: bool) -> str:
    both = [image for image in changed if image.before and image.after]
    groups = {
        "Images Changed": [image for image in both if not image.is_rebuilt],
        "Images Rebuilt": [image for image in both if image.is_rebuilt],
        "Images Added": [image for image in changed if image.before is None],
        "Images Removed": [image for image in changed if image.after is None],
    }
    return "".join(
        align([f"{title}:", *(_show_image(image, width, commits=commits) for image in images), ""])
        for title, images in groups.items()
        if images
    )


def _show_image(image: ChangedImage, width: int, *, commits: bool) -> str:
    name = f"  {image.name.ljust(width)}"
    if image.after is None:
        return name
    if image.before is None:
        return f"{name}\t{link_new_commit(image.after) if commits else _shown(image.after)}"
    if commits:
        return f"{name}\t{link_change(image.before, image.after)}"
    return f"{name}\t{_shown(image.before)}\t{_shown(image.after)}"


def _age(release: Release, now: datetime) -> str:
    image = release.content.image
    created = parse_time(image.config.created) if image else None
    return format_duration((now - created).total_seconds()) if created else ""


def _shown(tag: TagReference | None) -> str:
    return digest_or_pull_spec(tag) if tag else ""


def _pull_spec(tag: TagReference | None) -> str:
    return pull_spec_of(tag) if tag else ""


def _encode(content: bytes | None) -> str | None:
    return None if content is None else base64.b64encode(content).decode()


def _lines(content: bytes) -> list[str]:
    return content.decode(errors="replace").splitlines(keepends=True)
