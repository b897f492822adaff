# SPDX-License-Identifier: Apache-2.0
"""ConfigMaps as clusters decode them: with keys for releases, or with signatures.

One value of a wrong type and the whole object cannot be decoded: such a ConfigMap is as good as
absent. Keys that ConfigMaps do not have are ignored.
"""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from typing import Any

import msgspec


class ConfigMap(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a ConfigMap that verification looks at."""

    namespace: str = ""
    name: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    data: dict[str, str] = {}
    binary_data: dict[str, bytes] = {}


def decode_config_map(value: Mapping[str, Any]) -> ConfigMap | None:
    """The object ``value`` as a ConfigMap; None when it is none, or cannot be decoded."""
    if (value.get("apiVersion"), value.get("kind")) != ("v1", "ConfigMap"):
        return None
    try:
        metadata = _mapping(value.get("metadata"))
        _check_others(value, metadata)
        return ConfigMap(
            namespace=_text(metadata.get("namespace")),
            name=_text(metadata.get("name")),
            labels=_texts(metadata.get("labels")),
            annotations=_texts(metadata.get("annotations")),
            data=_texts(value.get("data")),
            binary_data={
                key: _bytes(item) for key, item in _mapping(value.get("binaryData")).items()
            },
        )
    except _Undecodable:
        return None


class _Undecodable(Exception):
    """A value of another type than the field has; never leaves this module."""


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict | None):
        raise _Undecodable
    return value or {}


def _text(value: Any) -> str:
    if not isinstance(value, str | None):
        raise _Undecodable
    return value or ""


def _texts(value: Any) -> dict[str, str]:
    return {key: _text(item) for key, item in _mapping(value).items()}


def _bytes(value: Any) -> bytes:
    text = _text(value).replace("\r", "").replace("\n", "")
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except (binascii.Error, ValueError) as error:
        raise _Undecodable from error


def _check_others(value: Mapping[str, Any], metadata: Mapping[str, Any]) -> None:
    """Fields that nobody asks for, and that must have their type all the same."""
    if not isinstance(value.get("immutable"), bool | None):
        raise _Undecodable
    for name in ("generateName", "selfLink", "uid", "resourceVersion", "creationTimestamp"):
        _text(metadata.get(name))
    finalizers = metadata.get("finalizers")
    if not isinstance(finalizers, list | None) or any(
        not isinstance(item, str | None) for item in finalizers or []
    ):
        raise _Undecodable
