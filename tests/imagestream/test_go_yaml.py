# SPDX-License-Identifier: Apache-2.0
"""YAML as Go reads it."""

from __future__ import annotations

import contextlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.errors import InvalidDocument
from okd_payload.imagestream.go_yaml import decode, parse, resolve_plain


class Named(msgspec.Struct, frozen=True):
    name: str = ""
    notes: dict[str, str] = {}
    parts: tuple[str, ...] = ()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("y", True),
        ("On", True),
        ("TRUE", True),
        ("n", False),
        ("Off", False),
        ("~", None),
        ("Null", None),
        ("", None),
        ("12", 12),
        ("-1_000", -1000),
        ("010", 8),
        ("0o17", 15),
        ("0x10", 16),
        ("+0b101", 5),
        ("0", 0),
        ("08", 8.0),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("4.10", 4.1),
        ("9" * 19, int("9" * 19)),
        ("9" * 30, 1e30),
        ("0x" + "f" * 30, "0x" + "f" * 30),
        ("yEs", "yEs"),
        ("1.2.3", "1.2.3"),
        ("2026-01-02", "2026-01-02"),
        ("12:30:45", "12:30:45"),
        ("0x", "0x"),
        ("-", "-"),
        (".", "."),
        ("1e999", "1e999"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_plain_scalars_mean_what_they_mean_to_go(text: str, value: Any) -> None:
    """Booleans, numbers and null are told from text by YAML 1.1 as Go has it."""
    found = resolve_plain(text)
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("y", "true"),
        ("no", "false"),
        ("4.10", "4.1"),
        ("4.0", "4"),
        ("0x10", "16"),
        ("1e3", "1000"),
        ("1e6", "1e+06"),
        ("0.00001", "1e-05"),
        ("123456.789", "123456.79"),
        ("1e40", "+Inf"),
        ("-1e40", "-Inf"),
        ("'y'", "y"),
        ("!!str 5", "5"),
        ("!own 5", "5"),
        ("~", ""),
    ],
)
def test_scalars_become_text_where_text_is_wanted(text: str, name: str) -> None:
    """A number or boolean is turned into text as Go does it; quoted text stays."""
    assert decode(f"NAME: {text}".encode(), Named, path="f").name == name


def test_values_of_maps_and_lists_become_text_too() -> None:
    """The rule holds inside maps and lists of text."""
    named = decode(b"notes: {a: yes, 5: 1.50}\nparts: [1, on]", Named, path="f")
    assert named == Named(notes={"5": "1.5", "a": "true"}, parts=("1", "true"))


def test_only_the_first_document_counts() -> None:
    """What follows the first document is not even looked at."""
    assert parse(b"a: 1\n---\n]", path="f") == {"a": 1}


@pytest.mark.parametrize("content", [b"", b"# only a comment\n", b"---\n"])
def test_nothing_is_none(content: bytes) -> None:
    """A file without a value gives None."""
    assert parse(content, path="f") is None


def test_keys_are_text_sorted_and_the_last_of_equal_ones_wins() -> None:
    """Keys become text; duplicates are allowed."""
    found = parse(b"{b: 1, a: 1, a: 2, true: 3, 1.5: 4}", path="f")
    assert list(found.items()) == [("1.5", 4), ("a", 2), ("b", 1), ("true", 3)]


def test_merges_fill_in_and_earlier_sources_win() -> None:
    """Merge keys work with one mapping and with several."""
    content = b"x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz: {<<: [*x, *y], c: 3}\nw: {'<<': 1}"
    found = parse(content, path="f")
    assert found["z"] == {"a": 1, "b": 1, "c": 3}
    assert found["w"] == {"<<": 1}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: [", "f:2: not valid YAML"),
        (b"a: b\n  c: d", "f:2: not valid YAML: mapping values are not allowed"),
        (b"a: \xff", "f: not valid YAML"),
        (b"a:\n\tb", "f:2: not valid YAML"),
        (b"a:\n  b: .inf", "f:2: .inf is no number"),
        (b"[a]: b", "f:1: a key must be"),
        (b"~: b", "f:1: a key must be"),
        (b"<<: 5", "f:1: only a mapping can be merged"),
        (b"[" * 60, "f:2: not valid YAML"),
        (b"[" * 100 + b"]" * 100, "f:1: .*nested too deeply"),
        (b"[" * 100_000, "f:1: .*nested too deeply"),
        (b"&a [*a]", "f:1: nested too deeply"),
        (b" " * (16 * 1024 * 1024 + 1), "larger than"),
    ],
)
def test_what_go_refuses_is_refused(content: bytes, message: str) -> None:
    """Broken and unreasonable files are refused, with file and line."""
    with pytest.raises(InvalidDocument, match=message):
        parse(content, path="f")


def test_aliases_cannot_explode() -> None:
    """Nine lines of aliases to aliases do not become a billion values."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(InvalidDocument, match="too many values"):
        parse("\n".join(lines).encode(), path="f")


@given(st.binary() | st.text(alphabet="&*a1:-[]{}<~!y. \n'\"").map(str.encode))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    """Foreign bytes give a value or InvalidDocument, nothing else."""
    with contextlib.suppress(InvalidDocument):
        decode(content, Named, path="f")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"!!binary aGk=", "hi"),
        (b"!!binary |\n  aG\n  k=\n", "hi"),
        (b"!!bool yes", True),
        (b"!!float 3", 3),
        (b"!!int '5'", 5),
        (b"!!null ''", None),
        (b"!!str 5", "5"),
        (b"!other 5", "5"),
    ],
)
def test_tags_say_what_a_scalar_is(text: bytes, value: Any) -> None:
    """Tags of YAML's own types are obeyed, others leave text."""
    assert parse(text, path="") == value


@pytest.mark.parametrize(
    "text", [b"!!int x", b"!!int true", b"!!bool 1", b"!!null x", b"!!float a", b"!!binary a"]
)
def test_tags_that_do_not_fit(text: bytes) -> None:
    """What is not of the type that its tag says cannot be read."""
    with pytest.raises(InvalidDocument):
        parse(text, path="")
