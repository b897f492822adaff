# SPDX-License-Identifier: Apache-2.0
"""Plain values as typed ones: what an error says, where, and what it advises."""

from __future__ import annotations

import enum
from typing import Annotated, Any

import msgspec
import pytest

from okd_payload.documents import Document, convert, parse_documents, unknown_fields
from okd_payload.errors import InvalidDocument


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Part(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    name: Annotated[str, msgspec.Meta(pattern="^a", description="begins with an a")]
    build_arguments: dict[str, str | None] = {}
    colour: Colour = Colour.RED


class Whole(msgspec.Struct, forbid_unknown_fields=True):
    parts: dict[Annotated[str, msgspec.Meta(pattern="^[a-z]+$", description="a word")], Part] = {}
    row: tuple[Part, ...] = ()
    either: str | Part = ""


class Open(msgspec.Struct):
    row: list[Part] = []
    free: dict[str, Any] = {}
    both: tuple[Part, ...] | Open | None = None


def _document(text: str) -> Document:
    (document,) = parse_documents(text.encode(), path="file.yaml")
    return document


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            "parts:\n  good: {name: a}\n  wrong:\n    name: b\n",
            "file.yaml:4: parts.wrong.name: 'b' is not accepted here",
            "begins with an a",
        ),
        (
            "parts:\n  it:\n    name: a\n    buildArguments:\n      A: x\n      B: 4.20\n",
            "file.yaml:6: parts.it.buildArguments.B: Expected `str | null`, got `float`",
            "put it in quotes, so that it stays the text it looks like",
        ),
        (
            "row:\n- name: a\n- name: a\n  buildArgument: 3\n",
            "file.yaml:4: row[1].buildArgument: no such field",
            "did you mean buildArguments?",
        ),
        (
            "row: [{name: a, zzz: 3}]",
            "file.yaml:1: row[0].zzz: no such field",
            "known: name, buildArguments, colour",
        ),
        (
            "parts:\n  it: {name: a}\n  X1: {name: a}\n",
            "file.yaml:3: parts.X1: 'X1' is not accepted here",
            "a word",
        ),
        (
            "row: [{name: a, colour: green}]",
            "file.yaml:1: row[0].colour: Invalid enum value 'green'",
            "one of: red, blue",
        ),
        ("either: {name: b}", "file.yaml:1: either.name: 'b' is not accepted here", "begins with"),
        ("row: 3", "file.yaml:1: row: Expected `array`, got `int`", ""),
        ("[]", "file.yaml:1: Expected `object`, got `array`", ""),
    ],
)
def test_error_names_place_and_remedy(text: str, message: str, hint: str) -> None:
    """A wrong value is reported with file, line, the full field, and what would be right."""
    with pytest.raises(InvalidDocument) as caught:
        convert(_document(text), Whole)
    assert str(caught.value) == message
    assert caught.value.hint.startswith(hint)
    assert bool(caught.value.hint) == bool(hint)


def test_valid_document_is_converted() -> None:
    """A document that fits becomes the typed value."""
    found = convert(_document("row: [{name: ab, buildArguments: {A: ~}}]"), Whole)
    assert found.row[0].build_arguments == {"A": None}


def test_unknown_fields_are_listed_where_the_type_tolerates_them() -> None:
    """Every field without a place in the type is named once; free mappings have none."""
    document = _document("row: [{name: a, x: {y: 1}}]\nfree: {any: {thing: 1}}\nextra: [1]\n")
    assert unknown_fields(document, Open) == [("row", 0, "x"), ("extra",)]


def test_fields_of_an_object_that_may_be_a_list_are_known() -> None:
    """Of two forms that a field may have, that which is written decides what is known below it."""
    known = _document("both: {row: [{name: a, x: 1}], y: 2}\n")
    assert unknown_fields(known, Open) == [("both", "row", 0, "x"), ("both", "y")]
    assert unknown_fields(_document("both: [{name: a, x: 1}]\n"), Open) == [("both", 0, "x")]
