# SPDX-License-Identifier: Apache-2.0
"""In which form an answer is wanted: whole objects, their metadata alone, or a table."""

from __future__ import annotations

from okd_payload.testing.kubernetes.documents import JsonObject, metadata_of, text_at
from okd_payload.testing.kubernetes.statuses import Refusal

_SERVED = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")
_META = "meta.k8s.io/v1"
_COLUMNS = [
    {"name": "Name", "type": "string", "format": "name", "description": "", "priority": 0},
    {"name": "Age", "type": "date", "format": "", "description": "", "priority": 0},
]


def read_accept(header: str) -> str:
    """The form that ``Accept`` wants: ``Table`` and the like, empty for objects as they are.

    Raises Refusal for one that servers do not have.
    """
    if not header:
        return ""
    for part in header.split(","):
        media_type, *parameters = (each.strip() for each in part.split(";"))
        if media_type in ("*/*", "application/*", "application/json"):
            wanted = dict(each.split("=", 1) for each in parameters if "=" in each)
            return wanted.get("as", "")
        if media_type in _SERVED[1:]:
            return ""
    raise Refusal(
        406,
        "NotAcceptable",
        f"only the following media types are accepted: {', '.join(_SERVED)}",
    )


def show(document: JsonObject, form: str) -> JsonObject:
    """``document`` in that form; what is no object or list of objects stays as it is."""
    if not form or document.get("kind") == "Status":
        return document
    items = document.get("items")
    whole = document["metadata"] if items is not None else {}
    if form.startswith("PartialObjectMetadata"):
        if items is None:
            return _metadata_alone(document)
        return {
            "kind": "PartialObjectMetadataList",
            "apiVersion": _META,
            "metadata": _without_empty(whole),
            "items": [_metadata_alone(each) for each in items],
        }
    if form == "Table":
        rows = [document] if items is None else items
        return {
            "kind": "Table",
            "apiVersion": _META,
            "metadata": _without_empty(whole),
            "columnDefinitions": _COLUMNS,
            "rows": [_row(each) for each in rows],
        }
    return document


def _row(document: JsonObject) -> JsonObject:
    cells = [metadata_of(document).get("name"), text_at(document, "metadata", "creationTimestamp")]
    return {"cells": cells, "object": _metadata_alone(document)}


def _metadata_alone(document: JsonObject) -> JsonObject:
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": _META,
        "metadata": metadata_of(document),
    }


def _without_empty(metadata: JsonObject) -> JsonObject:
    return {name: value for name, value in metadata.items() if value != ""}
