# SPDX-License-Identifier: Apache-2.0
"""Whether the two files about a release are what the cluster-version operator can load.

They are read as the operator reads them (``release.cluster.metadata``), which is stricter than
the tools that write them.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from okd_payload.imagestream.openshift import RawImageStream
from okd_payload.issues import Issue
from okd_payload.release import codes, labels
from okd_payload.release.cluster.metadata import read_facts, read_images
from okd_payload.release.cluster.refusal import UnusableMetadata
from okd_payload.release.load import ReleaseContent
from okd_payload.release.metadata import METADATA_KIND, ReleaseMetadata


class ReadMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """What could be read of the two files, and the issues about them."""

    references: RawImageStream | None = None
    metadata: ReleaseMetadata | None = None
    issues: tuple[Issue, ...] = ()


def lint_metadata(content: ReleaseContent) -> ReadMetadata:
    """Check the two files, and that they and the image agree about the version."""
    issues: list[Issue] = []
    references = _read_references(content, issues)
    metadata = _read_metadata(content, issues)
    if references and metadata:
        issues += _compare_names(content, references.metadata.name, metadata.version)
    return ReadMetadata(references=references, metadata=metadata, issues=tuple(issues))


def _read_references(content: ReleaseContent, issues: list[Issue]) -> RawImageStream | None:
    text = _require(content, labels.IMAGE_REFERENCES, issues)
    if text is None:
        return None
    try:
        return read_images(text).stream
    except UnusableMetadata as error:
        issues.append(
            codes.INVALID_REFERENCES.issue(
                error.message,
                file=labels.IMAGE_REFERENCES,
                line=error.line,
                hint="it is an ImageStream in image.openshift.io/v1: make the release again",
            )
        )
        return None


def _read_metadata(content: ReleaseContent, issues: list[Issue]) -> ReleaseMetadata | None:
    text = _require(content, labels.RELEASE_METADATA, issues)
    if text is None:
        return None
    try:
        return read_facts(text).metadata
    except UnusableMetadata as error:
        issues.append(
            codes.INVALID_METADATA.issue(
                error.message,
                file=labels.RELEASE_METADATA,
                line=error.line,
                hint=f"it is JSON of kind {METADATA_KIND} with a semantic version",
            )
        )
        return None


def _require(content: ReleaseContent, name: str, issues: list[Issue]) -> bytes | None:
    text = content.files.get(name)
    if text is None:
        issues.append(
            codes.MISSING_FILE.issue(
                f"{labels.FOLDER}/{name} is missing",
                file=name,
                hint="this is no release, or something was put on top of one",
            )
        )
    return text


def _compare_names(content: ReleaseContent, name: str, version: str) -> Iterator[Issue]:
    hint = "make the release again; names are not changed by hand"
    if name != version:
        yield codes.NAME_DIFFERS.issue(
            f"version from image-references ({name}) differs from release-metadata ({version})",
            file=labels.IMAGE_REFERENCES,
            hint=hint,
        )
    label = content.image.config.labels.get(labels.RELEASE) if content.image else None
    if label is not None and label != version:
        yield codes.NAME_DIFFERS.issue(
            f"the label {labels.RELEASE} ({label}) differs from release-metadata ({version})",
            hint=hint,
        )
