# SPDX-License-Identifier: Apache-2.0
"""The two files that make a folder of manifests a payload, as the Go tools write them.

``image-references`` is an ImageStream that pins every image; ``release-metadata`` gives the
version and the upgrades. Both are compared byte by byte with what the field's tools write.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any

import msgspec

from okd_payload.imagestream import go_json
from okd_payload.imagestream.go_json import OMIT_EMPTY
from okd_payload.imagestream.openshift import (
    ImageStreamSpec,
    ObjectMetadata,
    RawImageStream,
    TagReference,
)
from okd_payload.release.semver import parse_version

METADATA_KIND = "cincinnati-metadata-v0"
ARCHITECTURE_KEY = "release.openshift.io/architecture"


class ReleaseMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """What the update service and the cluster want to know of a release."""

    kind: str = METADATA_KIND
    version: str = ""
    previous: tuple[str, ...] = ()
    next: Annotated[tuple[str, ...], OMIT_EMPTY] = ()
    metadata: Annotated[dict[str, Any], OMIT_EMPTY] = {}


def make_metadata(
    version: str,
    *,
    previous: Iterable[str] = (),
    following: Iterable[str] = (),
    metadata: dict[str, Any] | None = None,
) -> ReleaseMetadata:
    """The metadata of ``version``. Raises InputError for what is no version.

    Versions are sorted as text and keep their repetitions, which is how the Go tool does it.
    """
    return ReleaseMetadata(
        version=str(parse_version(version)),
        previous=_normalise(previous),
        next=_normalise(following),
        metadata=metadata or {},
    )


def encode_metadata(metadata: ReleaseMetadata) -> bytes:
    """``metadata`` as Go writes it."""
    return go_json.encode(metadata, indent=2)


def parse_metadata(content: bytes, *, path: str) -> ReleaseMetadata:
    """The metadata in ``content``. Raises InvalidDocument."""
    return go_json.decode(content, ReleaseMetadata, path=path)


def parse_metadata_argument(text: str) -> dict[str, Any]:
    """The ``metadata`` object that a user gives; null is an empty one. Raises InvalidDocument."""
    return go_json.decode(text.encode(), dict[str, Any], path="--metadata")


def make_references(
    name: str,
    *,
    created: datetime,
    tags: Iterable[TagReference],
    annotations: dict[str, str],
) -> RawImageStream:
    """The ``image-references`` of the release ``name``."""
    return RawImageStream(
        metadata=ObjectMetadata(name=name, creation_timestamp=created, annotations=annotations),
        spec=ImageStreamSpec(tags=tuple(sorted(tags, key=lambda tag: tag.name))),
    )


def _normalise(versions: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(str(parse_version(version)) for version in versions))
