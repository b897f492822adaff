# SPDX-License-Identifier: Apache-2.0
"""One update of an image stream in a cluster: some tags, one annotation, all or nothing.

It carries the version that was read, so the cluster refuses it when somebody else changed the
stream meanwhile. Tags that are not changed keep all that others wrote into them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from okd_payload.cluster import Cluster, kinds


class _Metadata(msgspec.Struct, frozen=True, kw_only=True):
    resource_version: str = msgspec.field(name="resourceVersion", default="")
    annotations: dict[str, str] | None = None


class _Spec(msgspec.Struct, frozen=True):
    tags: list[dict[str, Any]] | None = None


class _Stream(msgspec.Struct, frozen=True):
    metadata: _Metadata = _Metadata()
    spec: _Spec = _Spec()


class WantedTag(msgspec.Struct, frozen=True, kw_only=True):
    """A tag as it is to be written."""

    name: str
    kind: str
    """DockerImage, or ImageStreamTag for another tag of the same stream."""
    source: str
    reference_policy: str = ""

    def matches(self, written: Mapping[str, Any]) -> bool:
        """Whether the tag is written so already."""
        origin = written.get("from")
        found = (origin.get("kind"), origin.get("name")) if isinstance(origin, dict) else ()
        return found == (self.kind, self.source)


async def update_stream(
    cluster: Cluster,
    name: str,
    wanted: Mapping[str, WantedTag],
    *,
    namespace: str,
    annotation: tuple[str, str] | None = None,
) -> bool:
    """Write ``wanted`` tags and the ``annotation`` into the stream; whether anything changed.

    Raises Conflict when somebody else was quicker, NoSuchObject, and other errors of clusters.
    """
    content = await cluster.get(kinds.IMAGE_STREAM, name, namespace=namespace)
    stream = msgspec.json.decode(content, type=_Stream)
    tags = stream.spec.tags or []
    written = {str(tag.get("name", "")): tag for tag in tags}
    missing = {
        tag: each
        for tag, each in wanted.items()
        if tag not in written or not each.matches(written[tag])
    }
    metadata: dict[str, Any] = {"resourceVersion": stream.metadata.resource_version}
    if annotation is not None:
        key, value = annotation
        if (stream.metadata.annotations or {}).get(key) != value:
            metadata["annotations"] = {key: value}
    if not missing and "annotations" not in metadata:
        return False
    change: dict[str, Any] = {"metadata": metadata}
    if missing:
        kept = [tag for tag in tags if tag.get("name") not in missing]
        change["spec"] = {"tags": [*kept, *map(_written, missing.values())]}
    await cluster.patch(kinds.IMAGE_STREAM, name, msgspec.json.encode(change), namespace=namespace)
    return True


def _written(tag: WantedTag) -> dict[str, Any]:
    """``tag`` as OpenShift's controller writes it."""
    return {
        "name": tag.name,
        "annotations": None,
        "from": {"kind": tag.kind, "name": tag.source},
        "importPolicy": {"importMode": "PreserveOriginal"},
        "referencePolicy": {"type": tag.reference_policy},
    }
