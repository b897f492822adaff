# SPDX-License-Identifier: Apache-2.0
"""JSON, byte for byte as Go's ``encoding/json`` writes it, and as leniently read.

A release payload's JSON is compared byte by byte with what the Go tools write. Structs are
written in the order of their fields (mark with ``OMIT_EMPTY`` what Go leaves out when empty),
dictionaries sorted by key like Go's maps; ``<``, ``>``, ``&`` and the two Unicode line ends are
escaped; numbers are as short as Go makes them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from okd_payload.errors import InvalidDocument
from okd_payload.imagestream.go_values import OMIT_EMPTY, convert, fields_of

__all__ = ["OMIT_EMPTY", "decode", "encode"]

T = TypeVar("T")

_ESCAPES = str.maketrans({char: f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"})
_LEAST_PLAIN, _LEAST_EXPONENT = 1e-6, 1e21
"""Go writes a number without exponent from the first bound up to the second."""


def encode(value: Any, *, indent: int = 0) -> bytes:
    """``value`` as JSON without a final newline; compact when ``indent`` is 0."""
    return _encode(value, " " * indent, "\n" if indent else "").encode()


def decode(content: bytes, kind: type[T], *, path: str) -> T:
    """Strict JSON as a ``kind``, with Go's rules for keys. Raises InvalidDocument."""
    try:
        value = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidDocument(f"not valid JSON: {error}", path=path) from error
    return convert(value, kind, path=path)


def _encode(value: Any, step: str, margin: str) -> str:
    if isinstance(value, msgspec.Struct):
        members = (
            (field.key, item)
            for field in fields_of(type(value))
            if (item := getattr(value, field.attribute)) or not field.omit_empty
        )
        return _encode_members(members, step, margin)
    if isinstance(value, dict):
        return _encode_members(sorted(value.items(), key=_key_bytes), step, margin)
    if isinstance(value, list | tuple):
        inner = margin and margin + step
        return _enclose("[]", [_encode(item, step, inner) for item in value], inner, margin)
    return _encode_scalar(value)


def _encode_members(members: Iterable[tuple[str, Any]], step: str, margin: str) -> str:
    inner = margin and margin + step
    colon = ": " if margin else ":"
    parts = [_encode_text(key) + colon + _encode(item, step, inner) for key, item in members]
    return _enclose("{}", parts, inner, margin)


def _enclose(brackets: str, parts: list[str], inner: str, margin: str) -> str:
    if not parts:
        return brackets
    return brackets[0] + inner + f",{inner}".join(parts) + margin + brackets[1]


def _encode_scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, str):
        return _encode_text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _encode_float(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, datetime):
        return _encode_text(_encode_time(value))
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _encode_text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).translate(_ESCAPES)


def _encode_time(value: datetime) -> str:
    whole, dot, fraction = value.astimezone(UTC).isoformat().partition("+")[0].partition(".")
    return f"{whole}{dot}{fraction.rstrip('0')}Z"


def _encode_float(value: float) -> str:
    if value == 0 or _LEAST_PLAIN <= abs(value) < _LEAST_EXPONENT:
        plain = format(Decimal(repr(value)), "f")
        return plain.removesuffix(".0")
    mantissa, _, exponent = format(Decimal(repr(value)).normalize(), "e").partition("e")
    return f"{mantissa}e{int(exponent):+d}"


def _key_bytes(member: tuple[str, Any]) -> bytes:
    return member[0].encode()
