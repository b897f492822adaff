# SPDX-License-Identifier: Apache-2.0
"""The values that templates of manifests can meet, and what Go says about them."""

from __future__ import annotations

import enum
from collections.abc import Mapping

import msgspec

from okd_payload.release.go_text import format_value


class Record(msgspec.Struct, frozen=True):
    """A Go struct: its type, and its fields in their order."""

    type_name: str
    fields: Mapping[str, str | Mapping[str, str]]


class Absent(enum.Enum):
    """What is not there: a map's missing member, the value of nothing."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT
Value = str | bool | int | float | Mapping[str, str] | Record | Absent


def type_of(value: Value) -> str:
    """The Go type of ``value``."""
    if isinstance(value, Record):
        return value.type_name
    if isinstance(value, Absent):
        return "<nil>"
    if isinstance(value, Mapping):
        return "map[string]string"
    names = {bool: "bool", int: "int", float: "float64", str: "string"}
    return names[type(value)]


def is_true(value: Value) -> bool:
    """Whether ``value`` is neither absent nor empty nor nought."""
    if isinstance(value, Record):
        return True
    return value is not ABSENT and bool(value)


def show(value: Value) -> str:
    """``value`` as ``%v`` gives it."""
    if isinstance(value, Record):
        return f"{{{' '.join(map(show, value.fields.values()))}}}"
    if isinstance(value, Absent):
        return "<nil>"
    return format_value(dict(value) if isinstance(value, Mapping) else value)
