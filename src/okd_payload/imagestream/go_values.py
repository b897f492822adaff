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
from collections.abc import Callable, Hashable
from datetime import UTC, datetime
from typing import Any, Self, TypeVar

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


def convert(value: Any, kind: type[T], *, path: str, text_of: TextOf | None = None) -> T:
    """``value`` as a ``kind``. Raises InvalidDocument that names the field.

    ``text_of`` is asked about values that are not text where text is expected.
    """
    try:
        read = _reader_of(typing.cast("Hashable", kind))
        result: T = read(value, text_of or _refuse)
    except _Unfit as unfit:
        raise InvalidDocument(unfit.message, path=path, field=unfit.field) from None
    return result


_Reader = Callable[[Any, TextOf], Any]
"""Makes one kind of value of a plain one. Raises _Unfit."""


class _Unfit(Exception):
    """A value is not what is needed; each reader that is left names its part of the way there."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self._way: list[str] = []

    def below(self, step: str) -> Self:
        """The same, seen from further out."""
        self._way.append(step)
        return self

    @property
    def field(self) -> str:
        """Where it is, as in ``spec.tags[2].name``."""
        return "".join(reversed(self._way)).removeprefix(".")


@functools.cache
def _reader_of(kind: Any) -> _Reader:
    """How a ``kind`` is read, found out once for all its values."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        some = _reader_of(arguments[0])
        return lambda value, text_of: None if value is None else some(value, text_of)
    if origin is tuple:
        read = _list_reader(arguments[0])
    elif origin is dict:
        read = _map_reader(arguments[1])
    elif kind is Any:
        read = _read_any
    elif issubclass(kind, msgspec.Struct):
        read = _struct_reader(kind)
    else:
        read = _SCALARS[kind]
    return lambda value, text_of: _zero(kind) if value is None else read(value, text_of)


@functools.cache
def _members(kind: type[msgspec.Struct]) -> dict[str, tuple[str, str, _Reader]]:
    """Attributes by folded key, and by exact key, which no folded key shadows."""
    fields = fields_of(kind)
    found = {field.key: (field.attribute, field.key, _reader_of(field.kind)) for field in fields}
    return {key.casefold(): member for key, member in found.items()} | found


def _struct_reader(kind: type[msgspec.Struct]) -> _Reader:
    def read(value: Any, text_of: TextOf) -> Any:
        if not isinstance(value, dict):
            raise _unfit(value, "an object")
        known = _members(kind)
        found = {}
        for key, item in value.items():
            member = known.get(key) or known.get(key.casefold())
            if member is not None and item is not None:
                attribute, name, read_member = member
                try:
                    found[attribute] = read_member(item, text_of)
                except _Unfit as unfit:
                    raise unfit.below(f".{name}") from None
        return kind(**found)

    return read


def _list_reader(kind: Any) -> _Reader:
    read_item = _reader_of(kind)

    def read(value: Any, text_of: TextOf) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise _unfit(value, "a list")
        found = []
        for item in value:
            try:
                found.append(read_item(item, text_of))
            except _Unfit as unfit:
                raise unfit.below(f"[{len(found)}]") from None
        return tuple(found)

    return read


def _map_reader(kind: Any) -> _Reader:
    read_item = _reader_of(kind)

    def read(value: Any, text_of: TextOf) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _unfit(value, "an object")
        found = {}
        for key, item in value.items():
            try:
                found[key] = read_item(item, text_of)
            except _Unfit as unfit:
                raise unfit.below(f".{key}") from None
        return found

    return read


def _read_any(value: Any, text_of: TextOf) -> Any:
    del text_of
    return _convert_any(value, MAX_DEPTH)


def _convert_any(value: Any, depth: int) -> Any:
    """``value`` as Go's ``interface{}`` holds it: every number is a float."""
    if depth == 0:
        raise _Unfit("nested too deeply")
    if isinstance(value, dict):
        return {key: _convert_any(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_convert_any(item, depth - 1) for item in value]
    return float(value) if type(value) is int else value


def _read_text(value: Any, text_of: TextOf) -> str:
    text = value if isinstance(value, str) else text_of(value)
    if text is None:
        raise _unfit(value, "text")
    return text


def _read_flag(value: Any, text_of: TextOf) -> bool:
    del text_of
    if not isinstance(value, bool):
        raise _unfit(value, "a boolean")
    return value


def _read_number(value: Any, text_of: TextOf) -> int:
    del text_of
    whole = isinstance(value, float) and value.is_integer()
    if isinstance(value, bool) or not (isinstance(value, int) or whole):
        raise _unfit(value, "a whole number")
    return int(value)


def _read_time(value: Any, text_of: TextOf) -> datetime:
    del text_of
    try:
        return msgspec.convert(value, _MOMENT).astimezone(UTC).replace(microsecond=0)
    except (msgspec.ValidationError, OverflowError):
        raise _unfit(value, "a time like 2026-01-02T03:04:05Z") from None


_SCALARS: dict[Any, _Reader] = {
    str: _read_text,
    bool: _read_flag,
    int: _read_number,
    datetime: _read_time,
}


def _unfit(value: Any, wanted: str) -> _Unfit:
    return _Unfit(f"{wanted} is needed here, not {_describe(value)}")


def _zero(kind: Any) -> Any:
    return None if kind is Any else (typing.get_origin(kind) or kind)()


def _refuse(value: Any) -> None:
    """No value but text is text: the rule of JSON."""
    del value


def _describe(value: Any) -> str:
    if isinstance(value, dict):
        return "an object"
    return "a list" if isinstance(value, list) else f"{str(value)[:50]!r}"
