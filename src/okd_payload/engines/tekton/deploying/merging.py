# SPDX-License-Identifier: Apache-2.0
"""What a merge patch (RFC 7386) makes of an object, for showing it before it is sent."""

from __future__ import annotations

from typing import Any

import msgspec


def merge_patch(target: bytes, patch: bytes) -> bytes:
    """``target`` with ``patch`` in it: null removes, mappings are merged, all else replaces."""
    return msgspec.json.encode(_merge(msgspec.json.decode(target), msgspec.json.decode(patch)))


def _merge(target: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merge(merged.get(name), value)
    return merged
