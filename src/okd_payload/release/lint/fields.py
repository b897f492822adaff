# SPDX-License-Identifier: Apache-2.0
"""Reading values that others wrote: whatever stands somewhere, the answer has the type asked for.

What is of another type counts as absent. Where that is a mistake of its own, the check that
knows of it says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def value_at(value: object, *path: str) -> Any:
    """What stands at ``path`` below ``value``; None when there is nothing."""
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def map_at(value: object, *path: str) -> dict[str, Any]:
    """The mapping at ``path``."""
    found = value_at(value, *path)
    return found if isinstance(found, dict) else {}


def list_at(value: object, *path: str) -> list[Any]:
    """The list at ``path``."""
    found = value_at(value, *path)
    return found if isinstance(found, list) else []


def maps_at(value: object, *path: str) -> list[dict[str, Any]]:
    """The mappings in the list at ``path``."""
    return [item for item in list_at(value, *path) if isinstance(item, dict)]


def text_at(value: object, *path: str) -> str:
    """The text at ``path``."""
    found = value_at(value, *path)
    return found if isinstance(found, str) else ""
