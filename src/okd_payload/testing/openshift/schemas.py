# SPDX-License-Identifier: Apache-2.0
"""The kinds of OpenShift's build and image groups, with the schemas of its OpenAPI document.

OpenShift's own API servers serve these kinds, not definitions: nothing is pruned, no default of
the document is written, and a status is no resource of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from okd_payload.cluster import ObjectKind, kinds
from okd_payload.testing.kubernetes import SimulatedCluster
from okd_payload.testing.kubernetes.documents import JsonObject
from okd_payload.testing.kubernetes.schema.node import compile_schema
from okd_payload.testing.kubernetes.schema.schema import Schema

KINDS = (
    kinds.BUILD_CONFIG,
    kinds.OPENSHIFT_BUILD,
    kinds.IMAGE_STREAM,
    kinds.IMAGE_STREAM_TAG,
)
_PREFIX = "#/definitions/"


def serve_openshift(cluster: SimulatedCluster, definitions: Path | None = None) -> None:
    """Let ``cluster`` have OpenShift's kinds, checked where ``definitions`` has the document."""
    document = msgspec.json.decode(definitions.read_bytes()) if definitions else None
    for kind in KINDS:
        resource = cluster.serve(kind, status=False)
        if document is not None:
            schema = read_schema(document, kind)
            cluster.state.schemas[resource.name, kind.version] = schema


def read_schema(document: JsonObject, kind: ObjectKind) -> Schema:
    """The schema of ``kind`` in an OpenAPI document of OpenShift."""
    group = kind.group.partition(".")[0]
    name = f"com.github.openshift.api.{group}.{kind.version}.{kind.kind}"
    return Schema(compile_schema(_resolve(document["definitions"], name, ())))


def _resolve(definitions: JsonObject, name: str, above: tuple[str, ...]) -> JsonObject:
    """The definition ``name`` without references; one that contains itself is anything."""
    if name in above or "RawExtension" in name:
        return {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    resolved: JsonObject = _expand(definitions, definitions[name], (*above, name))
    return resolved


def _expand(definitions: JsonObject, schema: Any, above: tuple[str, ...]) -> Any:
    if isinstance(schema, list):
        return [_expand(definitions, each, above) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _resolve(definitions, schema["$ref"].removeprefix(_PREFIX), above)
    return {
        key: _expand(definitions, value, above)
        for key, value in schema.items()
        if key not in ("default", "description")
    }
