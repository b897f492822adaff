# SPDX-License-Identifier: Apache-2.0
"""Objects as the API server has them: decoded JSON, of which it knows little but the metadata.

This is the one place of the product where dictionaries go from module to module: the simulator
stores objects of kinds that it has never heard of. What is stored is never changed in place;
whoever changes an object takes a copy first.
"""

from __future__ import annotations

from typing import Any

import msgspec

JsonObject = dict[str, Any]
"""An object of JSON."""


def metadata_of(document: JsonObject) -> JsonObject:
    """The metadata of an object; empty where it has none, and then not part of it."""
    metadata = document.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def name_of(document: JsonObject) -> str:
    """``metadata.name``; empty where there is none."""
    return _text(metadata_of(document), "name")


def namespace_of(document: JsonObject) -> str:
    """``metadata.namespace``; empty where there is none."""
    return _text(metadata_of(document), "namespace")


def uid_of(document: JsonObject) -> str:
    """``metadata.uid``; empty where there is none."""
    return _text(metadata_of(document), "uid")


def labels_of(document: JsonObject) -> dict[str, str]:
    """``metadata.labels``; empty where there are none."""
    labels = metadata_of(document).get("labels")
    return labels if isinstance(labels, dict) else {}


def revision_of(document: JsonObject) -> str:
    """``metadata.resourceVersion``; empty where there is none."""
    return _text(metadata_of(document), "resourceVersion")


def with_metadata(document: JsonObject, **changes: object) -> JsonObject:
    """``document`` with some fields of its metadata set; a field set to None is left out."""
    metadata = dict(metadata_of(document))
    for name, value in changes.items():
        if value is None:
            metadata.pop(name, None)
        else:
            metadata[name] = value
    return {**document, "metadata": metadata}


def clone(document: JsonObject) -> JsonObject:
    """A copy that shares nothing with ``document``."""
    copied: JsonObject = msgspec.json.decode(msgspec.json.encode(document))
    return copied


def object_at(document: JsonObject, *path: str) -> JsonObject:
    """The object at ``path``; empty where there is none."""
    value: Any = document
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def list_at(document: JsonObject, *path: str) -> list[Any]:
    """The list at ``path``; empty where there is none."""
    value = object_at(document, *path[:-1]).get(path[-1])
    return value if isinstance(value, list) else []


def text_at(document: JsonObject, *path: str) -> str:
    """The text at ``path``; empty where there is none."""
    return _text(object_at(document, *path[:-1]), path[-1])


def _text(document: JsonObject, name: str) -> str:
    value = document.get(name)
    return value if isinstance(value, str) else ""
