# SPDX-License-Identifier: Apache-2.0
"""Documents as programs written in Go see them."""

from __future__ import annotations

from typing import Any


def without_nulls(value: Any) -> Any:
    """``value`` without the fields that are null: for Go they are absent."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value
