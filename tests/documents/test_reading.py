# SPDX-License-Identifier: Apache-2.0
"""YAML text as plain values: types, lines, bounds."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.documents import MAX_BYTES, parse_documents, read_documents
from okd_payload.errors import InvalidDocument


def test_dates_stay_text_and_empty_documents_are_left_out() -> None:
    """A date in a catalog is a name; documents without content do not count."""
    documents = parse_documents(b"---\n---\nday: 2024-05-10\n---\n", path="f")
    assert [document.value for document in documents] == [{"day": "2024-05-10"}]


def test_lines_are_those_of_keys_and_items() -> None:
    """Each field has the line where it stands; an unknown one that of what encloses it."""
    (document,) = parse_documents(b"a:\n  b:\n  - c: 1\n  - d: 2\n", path="f")
    assert document.line_of(("a", "b", 1, "d")) == 4
    assert document.line_of(("a", "b", 1, "e")) == 4
    assert document.line_of(("zzz",)) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: 1\nb: 2\na: 3\n", "f:3: a: given twice"),
        (b"x:\n- y: 1\n  y: 2\n", "f:3: x[0].y: given twice"),
        (b"a: [1\nb: 2\n", "f:2: not valid YAML: did not find expected"),
        (b"a: \xff\xfe\n", "f:1: not valid YAML: invalid leading UTF-8"),
        (b"[" * 70 + b"]" * 70, "nested too deeply"),
        (
            b"a: &a [1,1,1,1,1,1,1,1,1,1]\n"
            + b"".join(
                b"%c: &%c [%s]\n" % (105 + i, 105 + i, b",".join([b"*%c" % (104 + i)] * 9))
                for i in range(1, 9)
            ).replace(b"*i", b"*a"),
            "expands to too many values",
        ),
    ],
)
def test_what_cannot_be_trusted_is_refused(content: bytes, message: str) -> None:
    """Duplicate keys, broken text, depth and expansion are errors that name their place."""
    with pytest.raises(InvalidDocument) as caught:
        parse_documents(content, path="f")
    assert message in str(caught.value)


def test_absent_and_large_files_are_refused(tmp_path: Path) -> None:
    """A file that is not there, or too large, is an error with its path."""
    with pytest.raises(InvalidDocument, match="No such file"):
        read_documents(tmp_path / "absent.yaml")
    large = tmp_path / "large.yaml"
    with large.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(InvalidDocument, match="larger than"):
        read_documents(large)


@given(st.text().filter(lambda text: "\x7f" not in text))
def test_json_is_read_whatever_it_escapes(text: str) -> None:
    """Also characters that it writes in two halves, which YAML does not know."""
    (document,) = parse_documents(json.dumps({"a": [text]}).encode(), path="f")
    assert document.value == {"a": [text]}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (rb"\ud83d\ude00\uD83D\uDE01", "\N{GRINNING FACE}\N{GRINNING FACE WITH SMILING EYES}"),
        (rb"\\ud83d\\ude00", r"\ud83d\ude00"),
        (rb"\\\ud83d\ude00", "\\\N{GRINNING FACE}"),
        (rb"\ud83d \ude00", "\ufffd \ufffd"),
        (rb"\ude00\ud83d", "\ufffd\ufffd"),
    ],
)
def test_halves_of_characters_are_joined(written: bytes, read: str) -> None:
    """But for those that stand alone, and for backslashes that escape each other."""
    (document,) = parse_documents(b'\n {"a": "' + written + b'"}', path="f")
    assert document.value == {"a": read}
    (yaml,) = parse_documents(b"a: '" + written + b"'", path="f")
    assert yaml.value == {"a": written.decode()}


@given(st.binary(max_size=200))
def test_foreign_bytes_give_documents_or_the_one_error(content: bytes) -> None:
    """No input makes the reader fail in any other way."""
    with contextlib.suppress(InvalidDocument):
        assert all(document.path == "f" for document in parse_documents(content, path="f"))
