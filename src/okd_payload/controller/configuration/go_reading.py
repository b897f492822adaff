# SPDX-License-Identifier: Apache-2.0
"""JSON as Go programs read it into structs: whatever the case of its keys, and null as nothing.

So a configuration that OpenShift's controller takes is taken here too. A key in another case is
given its proper one, what is null is left out, and an entry of a mapping that is null is an empty
one. Keys that no field has stay as they are, for somebody to tell of.
"""

from __future__ import annotations

import functools
from typing import Any

import msgspec
from msgspec import inspect


def read_as_go(value: Any, kind: type[msgspec.Struct]) -> Any:
    """``value``, which is to become a ``kind``, with the keys and values that stand for it."""
    return _read(value, _type_info(kind))


@functools.cache
def _type_info(kind: type[msgspec.Struct]) -> inspect.Type:
    return inspect.type_info(kind)


def _read(value: Any, kind: inspect.Type) -> Any:
    if not isinstance(value, dict):
        return value
    if isinstance(kind, inspect.UnionType):
        kind = next(each for each in kind.types if not isinstance(each, inspect.NoneType))
    if isinstance(kind, inspect.StructType):
        return _read_struct(value, {field.encode_name: field.type for field in kind.fields})
    if isinstance(kind, inspect.DictType) and isinstance(kind.value_type, inspect.StructType):
        return {
            key: _read({} if item is None else item, kind.value_type) for key, item in value.items()
        }
    return value


def _read_struct(value: dict[Any, Any], fields: dict[str, inspect.Type]) -> dict[Any, Any]:
    proper = {name.casefold(): name for name in fields}
    found: dict[Any, Any] = {}
    for key, item in value.items():
        name = key if key in fields else proper.get(str(key).casefold())
        if name is None:
            found[key] = item
        elif item is not None and (name == key or name not in value):
            found[name] = _read(item, fields[name])
    return found
