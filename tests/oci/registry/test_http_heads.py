# SPDX-License-Identifier: Apache-2.0
"""Heads: what goes out cannot be bent by its parts, what comes in has one meaning or none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.oci.registry.http.errors import Malformed, Unsendable
from okd_payload.oci.registry.http.heads import encode_head, parse_head

_NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,20}", fullmatch=True).filter(
    lambda name: name.lower() not in ("content-length", "transfer-encoding", "connection")
)
_VALUES = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"])).map(
    lambda text: text.strip(" \t")
)


def test_a_request_is_what_the_standard_says() -> None:
    """A line, the headers in their order, an empty line."""
    assert encode_head("GET", "/v2/", {"Host": "quay.test", "Accept": "*/*"}) == (
        b"GET /v2/ HTTP/1.1\r\nHost: quay.test\r\nAccept: */*\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("/v2/ HTTP/1.1", {}),
        ("/v2/\r\nX: y", {}),
        ("/v2/\n", {}),
        ("/v2/", {"X": "y\r\nZ: 1"}),
        ("/v2/", {"X": "y\nZ: 1"}),
        ("/v2/", {"X": "y\rZ: 1"}),
        ("/v2/", {"X": "y\0"}),
        ("/v2/", {"X\r\nZ": "y"}),
    ],
)
def test_no_part_of_a_request_begins_a_line(target, headers) -> None:
    """Whatever a target or a header holds, it does not become another header or request."""
    with pytest.raises(Unsendable, match="of a request has"):
        encode_head("GET", target, headers)


@given(st.lists(st.tuples(_NAMES, _VALUES)), st.sampled_from(["\r\n", "\n"]))
def test_headers_are_read_as_they_were_written(fields, end) -> None:
    """All values of a name are found, in their order, whatever its case; lines end either way."""
    lines = ["HTTP/1.1 200 OK", *(f"{name}:  {value} " for name, value in fields)]
    head = parse_head("".join(line + end for line in lines).encode())
    assert (head.status, head.keeps, head.length) == (200, True, None)
    for name, _ in fields:
        wanted = [value for other, value in fields if other.lower() == name.lower()]
        assert head.headers.getall(name.swapcase()) == wanted


@given(st.binary(max_size=200))
def test_any_bytes_are_a_head_or_malformed(data) -> None:
    """Nothing that comes is another error than Malformed."""
    for block in (data, b"HTTP/1.1 200 OK\r\n" + data):
        try:
            assert 100 <= parse_head(block).status <= 999
        except Malformed:
            continue


@pytest.mark.parametrize(
    "fields",
    [
        b"Content-Length: 1\r\nContent-Length: 2\r\n",
        b"Content-Length: 1, 1\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: +1\r\n",
        b"Content-Length: 0x1\r\n",
        b"Content-Length:\r\n",
        b"Content-Length: \xd9\xa1\r\n",
        b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"X: a\r\n b\r\n",
        b"X\r\n",
        b": x\r\n",
        b"X: a\0b\r\n",
        b"X: a\rb\r\n",
    ],
)
def test_what_has_two_meanings_has_none(fields) -> None:
    """A body whose end two readers could see in different places is refused, and so is a header."""
    with pytest.raises(Malformed):
        parse_head(b"HTTP/1.1 200 OK\r\n" + fields)


@pytest.mark.parametrize(
    ("block", "keeps"),
    [
        (b"HTTP/1.1 200 OK\r\n", True),
        (b"HTTP/1.1 200\r\nContent-Length: 0\r\nContent-Length: 0\r\n", True),
        (b"HTTP/1.1 200 OK\r\nConnection: Close\r\n", False),
        (b"HTTP/1.1 200 OK\r\nConnection: x\r\nConnection: y, close\r\n", False),
        (b"HTTP/1.0 200 OK\r\n", False),
    ],
)
def test_who_goes_on_listening(block, keeps) -> None:
    """A connection is used again when the other side spoke HTTP/1.1 and did not say goodbye."""
    assert parse_head(block).keeps is keeps
