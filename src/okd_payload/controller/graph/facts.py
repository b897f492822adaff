# SPDX-License-Identifier: Apache-2.0
"""What is kept of a payload for the graph, so that answering needs no registry.

Taken where the payload is in hand already: when it was made, adopted or imported.
"""

from __future__ import annotations

from okd_payload.controller.model import PayloadFacts, Release
from okd_payload.imagestream.openshift import RawImageStream
from okd_payload.oci.digest import Digest
from okd_payload.release import labels
from okd_payload.release.metadata import ReleaseMetadata

_URL = "url"
"""The key of a release's metadata under which people find what to read about it."""


def facts_of(
    release: Release,
    *,
    digest: Digest,
    pull_spec: str,
    metadata: ReleaseMetadata | None,
    references: RawImageStream,
    architecture: str = "",
) -> PayloadFacts:
    """What the payload of ``release`` says; ``architecture`` is that of its image."""
    said = metadata.metadata if metadata is not None else {}
    annotations = references.metadata.annotations or {}
    origin = annotations.get(labels.FROM_RELEASE) or annotations.get(labels.FROM_IMAGE_STREAM)
    return PayloadFacts(
        release=release.name,
        stream=release.stream,
        created=release.created,
        digest=digest,
        pull_spec=pull_spec,
        version=metadata.version if metadata is not None else "",
        previous=metadata.previous if metadata is not None else (),
        following=metadata.next if metadata is not None else (),
        architecture=_text(said.get(labels.ARCHITECTURE)) or architecture,
        url=_text(said.get(_URL)),
        made_from=origin or "",
    )


def _text(value: object) -> str:
    """``value`` where it is a text: metadata is foreign."""
    return value if isinstance(value, str) else ""
