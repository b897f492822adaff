# SPDX-License-Identifier: Apache-2.0
"""The bodies of requests: JSON or YAML, with what Go says of those that are neither.

Clients show these texts to people and some programs match them, so they are those of
``encoding/json`` and of ``apimachinery``'s serializers. Protobuf is accepted by name only, as the
list in the refusal has it: nobody here sends it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec
import yaml

from okd_payload.testing.kubernetes.documents import JsonObject
from okd_payload.testing.kubernetes.statuses import (
    Refusal,
    bad_request,
    unsupported_media_type,
)

MOST_BYTES = 3_145_728
"""A longer body is not read."""
_ACCEPTED = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")
_SUMMARY = 30
_GO_TYPE = (
    'Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; '
    'Kind string "json:\\"kind,omitempty\\"" }'
)


class Body(msgspec.Struct, frozen=True):
    """What a request has brought."""

    document: JsonObject
    duplicates: tuple[str, ...] = ()
    """Fields that stand in it twice, by their paths."""


def too_large() -> Refusal:
    """The body is longer than the server reads."""
    return Refusal(413, "RequestEntityTooLarge", f"Request entity too large: limit is {MOST_BYTES}")


def read_object(content: bytes, media_type: str, kind: str) -> Body:
    """The object in a body of that media type. Refuses what is none."""
    if media_type == "application/yaml":
        return Body(_object(_read_yaml(content, kind), content, kind))
    if media_type not in ("", "application/json"):
        raise unsupported_media_type(_ACCEPTED)
    duplicates: list[str] = []
    try:
        document = json.loads(content, object_pairs_hook=_Pairs)
    except ValueError as error:
        raise _unrecognized(content, kind, _go_error(content, error)) from error
    return Body(_object(_plain(document, "", duplicates), content, kind), tuple(duplicates))


def read_patch(content: bytes) -> Any:
    """The patch in a body, of whatever type. Refuses what is no JSON."""
    try:
        return msgspec.json.decode(content)
    except msgspec.DecodeError as error:
        raise bad_request(f"error decoding patch: {error}") from error


def read_applied(content: bytes) -> JsonObject:
    """The configuration in the body of an apply, which may be YAML. Refuses what is none."""
    try:
        document = msgspec.json.decode(content)
    except msgspec.DecodeError:
        document = _read_yaml(content, "")
    if not isinstance(document, dict):
        raise bad_request("error decoding YAML: the configuration is not an object")
    return document


class _Pairs(list[tuple[str, Any]]):
    """An object before its fields are put in order."""


def _plain(value: Any, path: str, duplicates: list[str]) -> Any:
    if isinstance(value, _Pairs):
        plain: JsonObject = {}
        for name, each in value:
            where = f"{path}.{name}" if path else name
            if name in plain:
                duplicates.append(where)
            plain[name] = _plain(each, where, duplicates)
        return plain
    if isinstance(value, list):
        return [_plain(each, f"{path}[{number}]", duplicates) for number, each in enumerate(value)]
    return value


def _read_yaml(content: bytes, kind: str) -> Any:
    try:
        # Through JSON, so that dates and the like are what Kubernetes reads: texts.
        return json.loads(json.dumps(yaml.safe_load(content), default=str))
    except (yaml.YAMLError, ValueError) as error:
        raise _unrecognized(content, kind, f"yaml: {error}") from error


def _object(document: Any, content: bytes, kind: str) -> JsonObject:
    if isinstance(document, dict):
        return document
    names: Sequence[tuple[type, str]] = (
        (list, "array"),
        (bool, "bool"),
        (str, "string"),
        (int, "number"),
        (float, "number"),
    )
    found = next((name for each, name in names if isinstance(document, each)), "null")
    raise _unrecognized(
        content, kind, f"json parse error: json: cannot unmarshal {found} into {_GO_TYPE}"
    )


def _unrecognized(content: bytes, kind: str, why: str) -> Refusal:
    return bad_request(
        f"the object provided is unrecognized (must be of type {kind}): "
        f"couldn't get version/kind; {why} ({_summary(content)})"
    )


def _summary(content: bytes) -> str:
    if not content:
        return "<empty>"
    more = " ..." if len(content) > _SUMMARY else ""
    head = content[:_SUMMARY]
    return (head.decode(errors="replace") if content[:1] == b"{" else head.hex()) + more


def _go_error(content: bytes, error: ValueError) -> str:
    at = error.pos if isinstance(error, json.JSONDecodeError) else len(content)
    rest = content[at:].strip()
    if not rest:
        return "json parse error: unexpected end of JSON input"
    return f"json parse error: invalid character '{chr(rest[0])}' looking for beginning of value"
