# SPDX-License-Identifier: Apache-2.0
"""Values are written where binaries hold a place for them, and nowhere else."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.errors import ReleaseError
from okd_payload.release.extract.markers import (
    ARCHITECTURE,
    IMAGE,
    VERSION,
    MarkerWriter,
    Replacement,
)

_VALUES = (
    Replacement(IMAGE, "quay.test/okd/release@sha256:" + "a" * 64),
    Replacement(VERSION, "4.20.0"),
    Replacement(ARCHITECTURE, "linux/amd64"),
)
_PIECES = st.one_of(
    st.sampled_from([item.marker.content for item in _VALUES]),
    st.sampled_from([item.marker.content[:-3] for item in _VALUES]),
    st.sampled_from([b"\0", b"X" * 50, b"\0_RELEASE_"]),
    st.binary(max_size=200),
)


def feed(chunks, values=_VALUES):
    """What a writer makes of ``chunks``, and the writer."""
    writer = MarkerWriter(values)
    return b"".join([*(bytes(writer.feed(chunk)) for chunk in chunks), writer.finish()]), writer


def replace_once(content):
    """The same by the plain rule: the first place of each marker."""
    for item in _VALUES:
        place = content.find(item.marker.content)
        if place >= 0:
            value = item.value.encode() + b"\0"
            content = content[:place] + value + content[place + len(value) :]
    return content


@given(st.lists(_PIECES, max_size=12), st.lists(st.integers(0, 4000), max_size=8))
def test_any_chunking_gives_the_same_bytes(pieces, cuts):
    """However a binary is cut, the result is that of the plain rule, and as long as before."""
    content = b"".join(pieces)
    places = sorted({min(cut, len(content)) for cut in cuts} | {0, len(content)})
    chunks = [content[start:end] for start, end in pairwise(places)]
    written, _ = feed(chunks)
    assert written == replace_once(content)
    assert len(written) == len(content)


def test_only_the_first_place_counts():
    """A second marker of a kind stays as it is."""
    written, writer = feed([b"a" + VERSION.content + b"b" + VERSION.content], _VALUES[1:2])
    assert written[1:].startswith(b"4.20.0\0")
    assert written.endswith(b"b" + VERSION.content)
    assert writer.missing == []


def test_what_is_left_of_a_marker_stays():
    """Behind the value and its NUL are the bytes that were there."""
    written, _ = feed([VERSION.content], _VALUES[1:2])
    assert written == b"4.20.0\0" + VERSION.content[7:]


def test_missing_markers_are_named():
    """Whoever runs the tool is told which values it did not get."""
    written, writer = feed([b"plain"])
    assert written == b"plain"
    assert writer.missing == ["release architecture", "release image", "release version"]


def test_the_longest_value_fits_and_no_longer_one():
    """A value and its NUL may fill the marker; one byte more is refused."""
    most = len(VERSION.content) - 1
    written, _ = feed([VERSION.content], [Replacement(VERSION, "v" * most)])
    assert written == b"v" * most + b"\0"
    with pytest.raises(ReleaseError, match=r"has 93 bytes, but the maximum .* is 92"):
        MarkerWriter([Replacement(VERSION, "v" * (most + 1))])


def test_markers_are_as_long_as_those_of_the_field():
    """The sizes are those that binaries are built with."""
    sizes = [len(marker.content) for marker in (IMAGE, VERSION, ARCHITECTURE)]
    assert sizes == [327, 93, 98]
