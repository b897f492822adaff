# SPDX-License-Identifier: Apache-2.0
"""Values as rows and rows as values: fields and columns have the same names.

Enumerations are stored as their words, tuples as JSON text, bytes as they are. Labels of images
and messages of runs are foreign: what no database takes in a text becomes the replacement
character, so that nothing they say can hold up a stream.
"""

from __future__ import annotations

import functools
import re
from types import GenericAlias
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, CursorResult, Row, Table
from sqlalchemy.dialects import postgresql, sqlite

Value = TypeVar("Value", bound=msgspec.Struct)
_UNFIT = re.compile("[\x00\ud800-\udfff]")
"""The sign of value zero, which PostgreSQL refuses, and halves of pairs, which are no UTF-8."""


def to_row(value: msgspec.Struct) -> dict[str, Any]:
    """The columns of ``value``."""
    plain = msgspec.to_builtins(value, builtin_types=(bytes,))
    return {name: _column(item) for name, item in plain.items()}


def to_content(value: msgspec.Struct) -> bytes:
    """``value`` as the content of an event: JSON, whatever its texts hold."""
    return _encode(value)


def _column(item: Any) -> Any:
    if isinstance(item, str):
        return _fit(item)
    return _encode(item).decode() if isinstance(item, list | tuple | dict) else item


def _encode(item: Any) -> bytes:
    try:
        return msgspec.json.encode(item)
    except UnicodeEncodeError:
        return msgspec.json.encode(_fit(msgspec.to_builtins(item)))


def _fit(item: Any) -> Any:
    """``item`` with all its texts as a database takes them."""
    if isinstance(item, str):
        return _UNFIT.sub("\N{REPLACEMENT CHARACTER}", item)
    if isinstance(item, list | tuple):
        return [_fit(each) for each in item]
    if isinstance(item, dict):
        return {_fit(name): _fit(each) for name, each in item.items()}
    return item


def from_row(row: Row[*tuple[Any, ...]], kind: type[Value]) -> Value:
    """The value of type ``kind`` that ``row`` holds."""
    fields: dict[str, Any] = dict(zip(_plain(row._fields), row, strict=True))
    for name in _tuples(kind):
        fields[name] = msgspec.json.decode(fields[name])
    return msgspec.convert(fields, kind, builtin_types=(bytes,))


def from_rows(rows: CursorResult[*tuple[Any, ...]], kind: type[Value]) -> list[Value]:
    """The values of type ``kind`` that ``rows`` hold, made all at once."""
    names = _plain(tuple(rows.keys()))
    found: list[dict[str, Any]] = [dict(zip(names, row, strict=True)) for row in rows.all()]
    for name in _tuples(kind):
        for fields in found:
            fields[name] = msgspec.json.decode(fields[name])
    values: list[Value] = msgspec.convert(
        found, GenericAlias(list, (kind,)), builtin_types=(bytes,)
    )
    return values


def put(connection: Connection, table: Table, value: msgspec.Struct) -> None:
    """Write ``value``, in the place of the row with its primary key where there is one."""
    row = to_row(value)
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    keys = [column.name for column in table.primary_key]
    others = {name: item for name, item in row.items() if name not in keys}
    connection.execute(
        make(table).values(row).on_conflict_do_update(index_elements=keys, set_=others)
    )


@functools.cache
def _plain(names: tuple[str, ...]) -> tuple[str, ...]:
    """``names`` as the plain texts that ``msgspec`` asks for; once, for thousands of rows."""
    return tuple(map(str, names))


@functools.cache
def _tuples(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    return tuple(
        field.name
        for field in msgspec.structs.fields(kind)
        if isinstance(field.default, tuple) or field.default_factory is tuple
    )
