# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.release.go_json_text import parse_json

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(_JSON)
def test_what_is_written_is_read(value):
    """Any JSON is read as what it is."""
    assert parse_json(json.dumps(value).encode()) == value


@given(st.binary(max_size=30))
def test_any_bytes(content):
    """Any bytes are a value, or a ValueError and nothing else."""
    with contextlib.suppress(ValueError):
        json.dumps(parse_json(content))


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b' {"a": 1}\n', {"a": 1}),
        (b'"\xff\\ud800x"', "\ufffd\ufffdx"),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b'{"\\udc00": ["\\udc00"]}', {"\ufffd": ["\ufffd"]}),
    ],
)
def test_leniency(content, value):
    """What is no character becomes the replacement character."""
    assert parse_json(content) == value


def test_the_last_of_equal_keys_counts():
    """Of equal keys the last counts, and stands where it stood."""
    assert list(parse_json(b'{"a": 1, "A": 2, "a": 3}').items()) == [("A", 2), ("a", 3)]


@pytest.mark.parametrize(
    "content",
    [b"", b"{} x", b"NaN", b"[-Infinity]", b"1e999", b'"\x01"', b"\xef\xbb\xbf{}", b"[" * 100_000],
)
def test_refused(content):
    """What Go refuses is refused."""
    with pytest.raises(ValueError):
        parse_json(content)
