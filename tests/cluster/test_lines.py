# SPDX-License-Identifier: Apache-2.0
"""Lines out of pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.cluster import lines
from okd_payload.cluster.lines import LineSplitter
from okd_payload.errors import ClusterError


@given(st.binary(max_size=200), st.lists(st.integers(1, 20), min_size=1, max_size=60))
def test_lines_do_not_depend_on_pieces(content, sizes):
    """However bytes are cut into pieces, the whole lines are the same."""
    splitter, found, begin = LineSplitter(), [], 0
    while begin < len(content):
        size = sizes[begin % len(sizes)]
        found += splitter.split(content[begin : begin + size])
        begin += size
    assert found == content.split(b"\n")[:-1]


def test_a_line_without_end(monkeypatch):
    """A server that never ends a line does not fill the memory."""
    monkeypatch.setattr(lines, "_LONGEST", 100)
    splitter = LineSplitter()
    with pytest.raises(ClusterError, match="more than 100 bytes"):
        for _ in range(20):
            splitter.split(b"x" * 10)
