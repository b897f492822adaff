# SPDX-License-Identifier: Apache-2.0
"""JSON as Go writes and reads it."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.errors import InvalidDocument
from okd_payload.imagestream.go_json import OMIT_EMPTY, decode, encode


class Inner(msgspec.Struct, frozen=True):
    count: int = 0


class Outer(msgspec.Struct, frozen=True, rename="camel"):
    plain_name: str = ""
    note: Annotated[str, OMIT_EMPTY] = ""
    notes: dict[str, str] | None = None
    inner: Inner = Inner()
    items: Annotated[tuple[Inner, ...], OMIT_EMPTY] = ()
    flag: bool = False
    free: Any = None


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def test_fields_keep_their_order_and_empty_ones_go_where_marked() -> None:
    """A Struct is written in field order; only marked fields vanish when empty."""
    assert encode(Outer()) == (
        b'{"plainName":"","notes":null,"inner":{"count":0},"flag":false,"free":null}'
    )


def test_indentation_puts_every_member_on_its_line() -> None:
    """Indented output breaks after every bracket except around nothing."""
    value = Outer(plain_name="a", notes={}, items=(Inner(1),), free=[[], {}])
    assert encode(value, indent=2).decode() == (
        '{\n  "plainName": "a",\n  "notes": {},\n  "inner": {\n    "count": 0\n  },\n'
        '  "items": [\n    {\n      "count": 1\n    }\n  ],\n  "flag": false,\n'
        '  "free": [\n    [],\n    {}\n  ]\n}'
    )


def test_maps_are_sorted_by_bytes() -> None:
    """Keys of a dictionary are in the order of their UTF-8 bytes."""
    assert encode({"b": 1, "a": 2, "B": 3, "\u00e9": 4}) == '{"B":3,"a":2,"b":1,"é":4}'.encode()


def test_markup_and_line_ends_are_escaped() -> None:
    """What Go escapes is escaped, in keys too, and nothing else."""
    assert encode({"<&>": '\u2028\u2029\x7f\x00\n"é'}).decode() == (
        '{"\\u003c\\u0026\\u003e":"\\u2028\\u2029\x7f\\u0000\\n\\"é"}'
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5.0, "5"),
        (-0.0, "-0"),
        (0.5, "0.5"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (1.5e-10, "1.5e-10"),
        (1e20, "100000000000000000000"),
        (1.2345678901234567e20, "123456789012345670000"),
        (1e21, "1e+21"),
        (-2.5e300, "-2.5e+300"),
    ],
)
def test_numbers_are_written_as_go_writes_them(value: float, text: str) -> None:
    """Floats are shortest, without exponent between 1e-6 and 1e21."""
    assert encode(value) == text.encode()


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05Z"),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00Z"),
        (datetime(2026, 1, 2, 3, 4, 5, 120000, tzinfo=UTC), "2026-01-02T03:04:05.12Z"),
        (
            datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2))),
            "2026-01-02T01:04:05Z",
        ),
    ],
)
def test_times_are_utc(moment: datetime, text: str) -> None:
    """Times are RFC 3339 in UTC with the shortest fraction."""
    assert encode(moment) == f'"{text}"'.encode()


def test_a_value_without_json_form_is_a_mistake_of_the_caller() -> None:
    """What JSON cannot hold is a TypeError."""
    with pytest.raises(TypeError, match="bytes"):
        encode(b"")


@given(PLAIN)
def test_any_reader_of_json_reads_it(value: Any) -> None:
    """Output is JSON for everybody, compact and indented."""
    assert json.loads(encode(value)) == json.loads(encode(value, indent=3)) == value


def test_keys_match_in_any_case_and_unknown_ones_are_ignored() -> None:
    """Reading folds the case of keys, and drops what it does not know."""
    content = b'{"PLAINNAME":"a","Inner":{"Count":3},"other":[1],"free":{"n":1},"items":null}'
    assert decode(content, Outer, path="f") == Outer("a", inner=Inner(3), free={"n": 1.0})


def test_the_last_of_equal_keys_wins() -> None:
    """Repeated keys, also in another case: the last one counts."""
    assert decode(b'{"note":"a","Note":"b"}', Outer, path="f").note == "b"


def test_numbers_of_free_form_become_floats() -> None:
    """In fields of any type a number is what Go's interface holds: a float."""
    big = decode(b'{"free":[9007199254740993,true]}', Outer, path="f").free
    assert encode(big) == b"[9007199254740992,true]"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "f: not valid JSON"),
        (b"{} x", "f: not valid JSON"),
        (b'"\xff"', "f: not valid JSON"),
        (b"[]", "f: an object is needed here, not a list"),
        (b'{"plainName":5}', "f: plainName: text is needed here, not '5'"),
        (b'{"inner":{"count":"5"}}', "f: inner.count: a whole number is needed here, not '5'"),
        (b'{"inner":{"count":1.5}}', "f: inner.count: a whole number"),
        (b'{"inner":{"count":true}}', "f: inner.count: a whole number"),
        (b'{"flag":1}', "f: flag: a boolean is needed here"),
        (b'{"items":{}}', "f: items: a list is needed here, not an object"),
        (b'{"items":[{},[]]}', r"f: items\[1\]: an object is needed here"),
        (b'{"notes":[]}', "f: notes: an object is needed here"),
        (b'{"notes":{"a":[]}}', "f: notes.a: text is needed here"),
        (b'{"free":' + b"[" * 80 + b"]" * 80 + b"}", "f: free: nested too deeply"),
        (b"[" * 100_000, "f: not valid JSON"),
    ],
)
def test_wrong_types_are_refused_by_name(content: bytes, message: str) -> None:
    """A value of the wrong type is refused, and the error names its field."""
    with pytest.raises(InvalidDocument, match=message):
        decode(content, Outer, path="f")


@given(st.binary())
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    """Foreign bytes give a value or InvalidDocument, nothing else."""
    with contextlib.suppress(InvalidDocument):
        assert isinstance(decode(content, Outer, path="f"), Outer)
