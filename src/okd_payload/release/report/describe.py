# SPDX-License-Identifier: Apache-2.0
"""A release as text, laid out as ``oc adm release info`` lays it out."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from okd_payload.errors import ReleaseError
from okd_payload.imagestream.openshift import TagReference
from okd_payload.oci.image import Image
from okd_payload.oci.reference import Reference
from okd_payload.release import labels
from okd_payload.release.go_text import align, format_value
from okd_payload.release.inputs import pull_spec_of
from okd_payload.release.load import Release, ReleaseContent
from okd_payload.release.metadata import ReleaseMetadata
from okd_payload.release.report.sizes import describe_sizes
from okd_payload.release.report.source_links import link_commit, source_of
from okd_payload.release.semver import sort_versions
from okd_payload.release.times import format_time, parse_time
from okd_payload.release.versions import (
    ComponentVersions,
    declared_by,
    find_problems,
    merge_for_display,
)


class ImageColumn(enum.Enum):
    """What the list of images shows of each."""

    DIGEST = "digest"
    PULL_SPEC = "pull spec"
    COMMIT = "commit"
    COMMIT_URL = "commit url"


def describe_release(
    release: Release, *, pull_from: Reference | None, images: Iterable[str]
) -> str:
    """The whole page; ``images`` are the lines of its list of images."""
    sections = [
        _describe_head(release),
        [f"Pull From: {pull_from}"] if pull_from else [],
        _describe_metadata(release.metadata) if release.metadata else [],
        _describe_versions(release),
        ["Images:", *images],
        _describe_warnings(release),
    ]
    return "".join(align([*section, ""]) for section in sections if section)


def list_images(release: Release, column: ImageColumn) -> list[str]:
    """The lines that show ``column`` of every image; their cells end in tabs."""
    header, show = _COLUMNS[column]
    return [header, *(f"  {tag.name}\t{show(tag)}" for tag in release.tags)]


def list_sizes(release: Release, images: Mapping[str, Image], *, now: datetime) -> list[str]:
    """The lines that show how large every image is."""
    return describe_sizes(release.tags, images, now=now)


def describe_contents(content: ReleaseContent) -> bytes:
    """Every file with its name above it; the two files about the release come first."""
    first = [
        name for name in (labels.IMAGE_REFERENCES, labels.RELEASE_METADATA) if name in content.files
    ]
    return b"".join(
        b"# %b\n%b" % (name.encode(), _with_newline(content.files[name]))
        for name in (*first, *content.manifests)
    )


def _with_newline(content: bytes) -> bytes:
    return content if not content or content.endswith(b"\n") else content + b"\n"


def find_image(release: Release, name: str) -> str:
    """The pull spec of the tag ``name``. Raises ReleaseError."""
    for tag in release.tags:
        if tag.name == name:
            return pull_spec_of(tag)
    raise ReleaseError(
        f'no image tag "{name}" exists in the release image {release.content.origin}',
        hint=f"it has: {', '.join(tag.name for tag in release.tags)}",
    )


def _describe_head(release: Release) -> list[str]:
    content = release.content
    lines = [f"Name:\t{shown_name(release)}"]
    if content.image:
        created = parse_time(content.image.config.created)
        lines += [
            f"Digest:\t{release.digest}",
            f"Created:\t{format_time(created) if created else ''}",
            f"OS/Arch:\t{shown_platform(release)}",
        ]
    lines.append(f"Manifests:\t{len(content.manifests)}")
    if content.others:
        lines.append(f"Metadata files:\t{len(content.others)}")
    return lines


def _describe_metadata(metadata: ReleaseMetadata) -> list[str]:
    upgrades = ", ".join(sort_versions(list(metadata.previous))) or "<none>"
    shown = {key: value for key, value in metadata.metadata.items() if value not in ("", [], {})}
    return [
        "Release Metadata:",
        f"  Version:\t{metadata.version}",
        f"  Upgrades:\t{upgrades}",
        "  Metadata:",
        *(f"    {key}:\t{format_value(shown[key])}" for key in sorted(shown)),
    ]


def _describe_versions(release: Release) -> list[str]:
    versions, _ = merge_for_display(declared_versions(release))
    lines = [f"  {key}\t{item.version}\t{item.display_name}" for key, item in versions.items()]
    return ["Component Versions:", *lines] if lines else []


def _describe_warnings(release: Release) -> list[str]:
    lines = [f"* {warning}" for warning in warnings_about(release)]
    return ["Warnings:", *lines] if lines else []


def declared_versions(release: Release) -> list[tuple[str, ComponentVersions]]:
    """What each image of ``release`` declares."""
    return [(tag.name, declared_by(tag.annotations)) for tag in release.tags]


def warnings_about(release: Release) -> list[str]:
    """What is odd about ``release`` at a glance."""
    warnings = [
        f"the referenced image {tag.name} had an invalid version annotation: {problem}"
        for tag in release.tags
        for problem in find_problems(tag.annotations)[:1]
    ]
    _, disagreeing = merge_for_display(declared_versions(release))
    if disagreeing:
        warnings.append(
            "multiple versions or display names reported for the following component(s): "
            + ",  ".join(disagreeing)
        )
    return sorted(warnings)


def shown_name(release: Release) -> str:
    """What ``oc`` calls ``release``: by its metadata, where it has them."""
    return release.metadata.version if release.metadata else release.name


def shown_platform(release: Release) -> str:
    """What ``release`` is for, and whether it is one of several; empty for a folder."""
    image = release.content.image
    if image is None:
        return ""
    platform = f"{image.config.os or 'unknown'}/{image.config.architecture or 'unknown'}"
    return f"multi ({platform})" if image.referenced.is_index else platform


def digest_or_pull_spec(tag: TagReference) -> str:
    """The digest of the image of ``tag``, or its pull spec when that names none."""
    pull_spec = pull_spec_of(tag)
    return pull_spec.partition("@")[2] or pull_spec


_COLUMNS: dict[ImageColumn, tuple[str, Callable[[TagReference], str]]] = {
    ImageColumn.DIGEST: ("  NAME\tDIGEST", digest_or_pull_spec),
    ImageColumn.PULL_SPEC: ("  NAME\tPULL SPEC", pull_spec_of),
    ImageColumn.COMMIT: ("  NAME\tREPO\tCOMMIT\t", lambda tag: "\t".join(source_of(tag))),
    ImageColumn.COMMIT_URL: ("  NAME\tURL\t", link_commit),
}
