# SPDX-License-Identifier: Apache-2.0
"""Whether the two files about a release are what the cluster-version operator can load.

It reads them with other rules than the tools that write them: ``release-metadata`` is strict
JSON; of ``image-references`` only kind and apiVersion may be written in any case, and what else
is not in the right case is simply not there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from okd_payload.errors import InputError, InvalidDocument
from okd_payload.imagestream import go_json, go_yaml
from okd_payload.imagestream.openshift import RawImageStream, parse_image_stream
from okd_payload.issues import Issue
from okd_payload.release import codes, labels
from okd_payload.release.load import ReleaseContent
from okd_payload.release.metadata import METADATA_KIND, ReleaseMetadata, parse_metadata
from okd_payload.release.semver import parse_version


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
        stream = parse_image_stream(text, path="")
        exact = _parse_exactly(text)
    except InvalidDocument as error:
        issues.append(
            codes.INVALID_REFERENCES.issue(
                error.detail,
                file=labels.IMAGE_REFERENCES,
                line=error.line,
                hint="it is an ImageStream in image.openshift.io/v1: make the release again",
            )
        )
        return None
    name = _text_at(exact, "metadata", "name")
    metadata = msgspec.structs.replace(stream.metadata, name=name)
    return msgspec.structs.replace(stream, metadata=metadata)


def _read_metadata(content: ReleaseContent, issues: list[Issue]) -> ReleaseMetadata | None:
    text = _require(content, labels.RELEASE_METADATA, issues)
    if text is None:
        return None
    try:
        metadata = parse_metadata(text.decode(errors="replace").encode(), path="")
        problem = "" if metadata.kind == METADATA_KIND else f"kind is {metadata.kind!r}"
        if not problem and not metadata.version:
            problem = "there is no version"
        if not problem:
            parse_version(metadata.version)
    except InvalidDocument as error:
        problem = error.detail
    except InputError as error:
        problem = error.message
    if not problem:
        return metadata
    issues.append(
        codes.INVALID_METADATA.issue(
            problem,
            file=labels.RELEASE_METADATA,
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


def _parse_exactly(text: bytes) -> Any:
    """The plain value, without leniency about keys; text that begins like JSON must be JSON."""
    if text.lstrip().startswith(b"{"):
        return go_json.decode(text, dict[str, Any], path="")
    return go_yaml.parse(text, path="")


def _text_at(value: Any, *path: str) -> str:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""
