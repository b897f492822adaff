# SPDX-License-Identifier: Apache-2.0
"""Bodies: however the bytes are cut, the content is the same, and so is where it ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.oci.registry.http.bodies import Chunked, Sized, UntilEnd, body_of
from okd_payload.oci.registry.http.errors import Lost, Malformed
from okd_payload.oci.registry.http.heads import parse_head

_CUTS = st.lists(st.integers(1, 12), min_size=1)


def take_all(body, data, cuts):
    """The content that ``body`` finds in ``data`` cut into pieces, and what it leaves over."""
    content, surplus, position = b"", b"", 0
    for number in range(len(data)):
        piece = data[position : position + cuts[number % len(cuts)]]
        position += len(piece)
        if not piece:
            break
        if body.ended:
            surplus += piece
            continue
        found, rest = body.take(piece)
        content, surplus = content + found, surplus + rest
    return content, surplus


def chunked(chunks, trailers=b""):
    """``chunks`` as they are sent."""
    sent = b"".join(b"%x;a=b\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks if chunk)
    return sent + b"0\r\n" + trailers + b"\r\n"


@given(st.lists(st.binary(max_size=40)), st.sampled_from([b"", b"X: y\r\n"]), st.binary(), _CUTS)
def test_chunks_come_together(chunks, trailers, more, cuts) -> None:
    """Sizes, extensions and trailers are no content, and what follows is not either."""
    body = Chunked()
    content, surplus = take_all(body, chunked(chunks, trailers) + more, cuts)
    assert content == b"".join(chunks)
    assert body.ended
    assert surplus == more
    body.finish()


@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1), st.data(), _CUTS)
def test_chunks_that_are_cut_are_lost(chunks, data, cuts) -> None:
    """Wherever a connection ends before the last chunk, the body is not whole."""
    whole = chunked(chunks)
    body = Chunked()
    content, _ = take_all(body, whole[: data.draw(st.integers(0, len(whole) - 1))], cuts)
    assert b"".join(chunks).startswith(content)
    with pytest.raises(Lost):
        body.finish()


@given(st.binary(max_size=60), _CUTS)
def test_any_bytes_are_chunks_or_malformed(data, cuts) -> None:
    """Nothing that comes is another error than Malformed."""
    body = Chunked()
    try:
        content, surplus = take_all(body, data, cuts)
    except Malformed:
        return
    assert len(content) + len(surplus) <= len(data)


@pytest.mark.parametrize(
    "data",
    [
        b"zz\r\n",
        b"-1\r\n",
        b"+1\r\n",
        b"0x1\r\n",
        b"1_0\r\n",
        b"\r\n",
        b"1\r\nab\r\n",
        b"1" * 16 + b"\r\n",
        b"1;" + b"x" * 5000,
        b"0\r\n" + b"X: y\r\n" * 20_000,
    ],
)
def test_wrong_chunks_are_refused(data) -> None:
    """A size that is none, a chunk longer than its size, lines and trailers without end."""
    with pytest.raises(Malformed):
        Chunked().take(data)


@given(st.binary(), st.binary(), _CUTS)
def test_a_stated_size_is_kept_to(content, more, cuts) -> None:
    """The body is so many bytes; fewer are not enough, and more are not its own."""
    body = Sized(len(content))
    assert take_all(body, content + more, cuts) == (content, more)
    body.finish()
    short = Sized(len(content) + 1)
    assert take_all(short, content, cuts) == (content, b"")
    with pytest.raises(Lost, match="1 bytes are missing"):
        short.finish()


def test_a_body_may_end_with_the_connection() -> None:
    """Without a size nothing but the end of the connection ends it."""
    body = UntilEnd()
    assert body.take(b"abc") == (b"abc", b"")
    assert not body.ended
    body.finish()
    assert body.ended


@pytest.mark.parametrize(
    ("head", "has_body", "kind", "ended"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", True, Sized, False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", False, Sized, True),
        (b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n", True, Sized, True),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n", True, Sized, True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n", True, Chunked, False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", False, Sized, True),
        (b"HTTP/1.1 200 OK\r\n", True, UntilEnd, False),
    ],
)
def test_the_form_follows_from_head_and_request(head, has_body, kind, ended) -> None:
    """Answers to HEAD and some statuses have no body, whatever their headers say."""
    body = body_of(parse_head(head), has_body=has_body)
    assert isinstance(body, kind)
    assert body.ended is ended
