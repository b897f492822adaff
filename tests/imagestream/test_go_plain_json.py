# SPDX-License-Identifier: Apache-2.0
"""JSON that is read without a YAML parser means what the YAML parser says it means."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.imagestream.go_plain_json import parse_plain_json
from okd_payload.imagestream.go_yaml import parse

_GOLDEN = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "oc-golden"
_TEXT = st.text() | st.text(st.characters(max_codepoint=0x7F)) | st.sampled_from(["y", "1e3", "<<"])
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(_TEXT, inner),
    max_leaves=12,
)
_SEPARATORS = st.sampled_from([(",", ":"), (", ", ": "), (" ,", " : "), (",\n", "\n:")])


@given(st.dictionaries(_TEXT, _VALUES), st.sampled_from([None, 2]), _SEPARATORS, st.booleans())
def test_what_is_read_is_what_yaml_reads(value, indent, separators, ascii_only) -> None:
    """Whatever is given an answer has the answer of the YAML reader, also in the keys' order."""
    text = json.dumps(value, indent=indent, separators=separators, ensure_ascii=ascii_only)
    content = text.encode(errors="surrogatepass")

    found = parse_plain_json(content)

    if found is not None:
        expected = parse(content, path="")
        assert repr(found) == repr(expected)


@given(st.binary() | st.text("{}[]:,\"\\ \n\tabu0123.-+eEtruefalsn#'").map(str.encode))
def test_other_bytes_are_left_alone_or_read_alike(content) -> None:
    """No bytes, however odd, are given another meaning or another end than an answer."""
    found = parse_plain_json(b"{" + content)

    if found is not None:
        assert found == parse(b"{" + content, path="")


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1.0}',
        '{"a": 12345678901234567890}',
        '{"a": "\\/"}',
        '{"a": "\\ud83d\\ude00"}',
        '{"a": "é"}',
        '{"a":\t1}',
        '{"a"\n: 1}',
        '{"' + "k" * 2000 + '": 1}',
        '{"a": NaN}',
        '{"a": 1} {"b": 2}',
        '["a"]',
        "kind: ImageStream",
        '{"a": ' + "[" * 65 + "]" * 65 + "}",
    ],
)
def test_what_the_two_could_read_otherwise_is_not_read(text) -> None:
    """Where JSON and YAML may differ nothing is decided here."""
    assert parse_plain_json(text.encode()) is None


def test_equal_keys_count_once() -> None:
    """Of equal keys the last wins, as in Go, and keys come sorted."""
    assert list(parse_plain_json(b'{"b": 1, "a": 2, "b": 3}').items()) == [("a", 2), ("b", 3)]


@pytest.mark.skipif(not _GOLDEN.is_dir(), reason="the recordings of oc are not here")
def test_streams_that_oc_wrote_are_read_this_way() -> None:
    """Of the streams that were recorded from oc nearly all are read without YAML, and alike."""
    streams = [path.read_bytes() for path in _GOLDEN.rglob("image-references")]
    found = [(parse_plain_json(stream), stream) for stream in streams]
    read = [(value, stream) for value, stream in found if value is not None]

    assert len(read) > 0.9 * len(streams)
    assert all(value == parse(stream, path="") for value, stream in read)
