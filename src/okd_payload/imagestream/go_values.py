# SPDX-License-Identifier: Apache-2.0
"""Plain values as typed Structs, by the rules of Go's ``encoding/json``.

The field's files are read by Go programs, so what counts is how Go understands them: keys match
without regard to case, unknown ones are ignored, of equal ones the last wins, null leaves a
field as it is, and whatever has an unexpected type is refused. A Struct made for this has a
default for every field: the zero value of its Go twin.
"""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from okd_payload.documents.bounds import MAX_DEPTH
from okd_payload.errors import InvalidDocument

OMIT_EMPTY = msgspec.Meta(extra={"omitempty": True})
"""Marks a field that is not written when it is empty: ``Annotated[str, OMIT_EMPTY]``."""

_MOMENT = typing.Annotated[datetime, msgspec.Meta(tz=True)]
T = TypeVar("T")
TextOf = Callable[[Any], str | None]
"""What a value that is not text becomes where text is expected; None refuses it."""


class Field(msgspec.Struct, frozen=True):
    """One field of a Struct: its attribute, its key in files, its type, its Go tag."""

    attribute: str
    key: str
    kind: Any
    omit_empty: bool


@functools.cache
def fields_of(kind: type[msgspec.Struct]) -> tuple[Field, ...]:
    """The fields of ``kind`` in their order."""
    return tuple(_field(info) for info in msgspec.structs.fields(kind))


def _field(info: msgspec.structs.FieldInfo) -> Field:
    kind, omit_empty = info.type, False
    if typing.get_origin(kind) is typing.Annotated:
        kind, *marks = typing.get_args(kind)
        omit_empty = OMIT_EMPTY in marks
    return Field(info.name, info.encode_name, kind, omit_empty)


@functools.cache
def _fields_by_key(kind: type[msgspec.Struct]) -> dict[str, Field]:
    """Fields by folded key, and by exact key, which no folded key shadows."""
    fields = fields_of(kind)
    return {field.key.casefold(): field for field in fields} | {f.key: f for f in fields}


def convert(value: Any, kind: type[T], *, path: str, text_of: TextOf | None = None) -> T:
    """``value`` as a ``kind``. Raises InvalidDocument that names the field.

    ``text_of`` is asked about values that are not text where text is expected.
    """
    result: T = _Converter(path, text_of).convert(value, kind, "")
    return result


class _Converter:
    def __init__(self, path: str, text_of: TextOf | None) -> None:
        self._path = path
        self._text_of = text_of or _refuse

    def convert(self, value: Any, kind: Any, field: str) -> Any:
        origin = typing.get_origin(kind)
        if origin in (types.UnionType, typing.Union):
            return None if value is None else self.convert(value, typing.get_args(kind)[0], field)
        if value is None:
            return _zero(kind)
        if origin is tuple:
            return self._convert_list(value, typing.get_args(kind)[0], field)
        if origin is dict:
            return self._convert_map(value, typing.get_args(kind)[1], field)
        return self._convert_plain(value, kind, field)

    def _convert_plain(self, value: Any, kind: Any, field: str) -> Any:
        if kind is Any:
            return self._convert_any(value, field, MAX_DEPTH)
        if issubclass(kind, msgspec.Struct):
            return self._convert_struct(value, kind, field)
        return self._convert_scalar(value, kind, field)

    def _convert_struct(self, value: Any, kind: type[msgspec.Struct], field: str) -> Any:
        if not isinstance(value, dict):
            self._fail(value, "an object", field)
        known = _fields_by_key(kind)
        found = {}
        for key, item in value.items():
            member = known.get(key) or known.get(key.casefold())
            if member is not None and item is not None:
                found[member.attribute] = self.convert(item, member.kind, _join(field, member.key))
        return kind(**found)

    def _convert_list(self, value: Any, kind: Any, field: str) -> tuple[Any, ...]:
        if not isinstance(value, list):
            self._fail(value, "a list", field)
        return tuple(
            self.convert(item, kind, f"{field}[{number}]") for number, item in enumerate(value)
        )

    def _convert_map(self, value: Any, kind: Any, field: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            self._fail(value, "an object", field)
        return {key: self.convert(item, kind, _join(field, key)) for key, item in value.items()}

    def _convert_any(self, value: Any, field: str, depth: int) -> Any:
        """``value`` as Go's ``interface{}`` holds it: every number is a float."""
        if depth == 0:
            raise InvalidDocument("nested too deeply", path=self._path, field=field)
        if isinstance(value, dict):
            return {key: self._convert_any(item, field, depth - 1) for key, item in value.items()}
        if isinstance(value, list):
            return [self._convert_any(item, field, depth - 1) for item in value]
        return float(value) if type(value) is int else value

    def _convert_scalar(self, value: Any, kind: Any, field: str) -> Any:
        if kind is str:
            text = value if isinstance(value, str) else self._text_of(value)
            return text if text is not None else self._fail(value, "text", field)
        if kind is bool:
            return value if isinstance(value, bool) else self._fail(value, "a boolean", field)
        if kind is datetime:
            return self._convert_time(value, field)
        whole = isinstance(value, float) and value.is_integer()
        if isinstance(value, bool) or not (isinstance(value, int) or whole):
            self._fail(value, "a whole number", field)
        return int(value)

    def _convert_time(self, value: Any, field: str) -> datetime:
        try:
            return msgspec.convert(value, _MOMENT).astimezone(UTC).replace(microsecond=0)
        except (msgspec.ValidationError, OverflowError):
            self._fail(value, "a time like 2026-01-02T03:04:05Z", field)

    def _fail(self, value: Any, wanted: str, field: str) -> typing.NoReturn:
        raise InvalidDocument(
            f"{wanted} is needed here, not {_describe(value)}", path=self._path, field=field
        )


def _zero(kind: Any) -> Any:
    return None if kind is Any else (typing.get_origin(kind) or kind)()


def _refuse(value: Any) -> None:
    """No value but text is text: the rule of JSON."""
    del value


def _join(field: str, key: str) -> str:
    return f"{field}.{key}" if field else key


def _describe(value: Any) -> str:
    if isinstance(value, dict):
        return "an object"
    return "a list" if isinstance(value, list) else f"{str(value)[:50]!r}"
