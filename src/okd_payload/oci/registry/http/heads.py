# SPDX-License-Identifier: Apache-2.0
"""The heads of messages: requests to bytes, bytes to answers.

What comes is written by strangers. A head that two readers could understand in two ways is
refused: a length that is stated twice or beside a transfer coding, folded lines, names that are
no tokens (RFC 9112, sections 2.2, 5 and 6.3). Lines may end without a carriage return.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec
from multidict import CIMultiDict, CIMultiDictProxy

from okd_payload.oci.registry.http.errors import Malformed, Unsendable

MAX_HEAD_BYTES = 256 * 1024
"""Signed addresses and tokens are long; beyond this nobody means well."""

_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [^\r\n\0]*)?\r?\n")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*)\r?\n")
_LENGTH = re.compile(r"[0-9]{1,18}", re.ASCII)


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The status and the headers of an answer, and what they say about its body."""

    status: int
    headers: CIMultiDictProxy[str]
    keeps: bool
    """Whether the other side goes on listening on this connection."""
    chunked: bool
    length: int | None
    """The size of the body; None when it is chunked or ends with the connection."""


def encode_head(method: str, target: str, headers: Mapping[str, str]) -> bytes:
    """A request up to its body. Raises Unsendable when a part would end its line."""
    if " " in target or not target.isprintable():
        raise Unsendable("the target of a request has characters that end it")
    lines = [f"{method} {target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    text = "\r\n".join(lines)
    breaks = len(lines) - 1
    if text.count("\n") != breaks or text.count("\r") != breaks or "\0" in text:
        raise Unsendable("a header of a request has a line break in it")
    return f"{text}\r\n\r\n".encode()


def parse_head(block: bytes) -> Head:
    """The head in ``block``, with the end of its last line, without the empty one.

    Raises Malformed.
    """
    found = _STATUS.match(block)
    if found is None:
        raise Malformed("no status line of HTTP/1")
    fields: CIMultiDict[str] = CIMultiDict()
    position = found.end()
    while position < len(block):
        field = _FIELD.match(block, position)
        if field is None:
            raise Malformed("a header that cannot be read")
        value = field[2].rstrip(b" \t").decode(errors="surrogateescape")
        fields.add(field[1].decode(), value)
        position = field.end()
    headers = CIMultiDictProxy(fields)
    chunked = _is_chunked(headers)
    return Head(
        status=int(found[2]),
        headers=headers,
        keeps=found[1] == b"1" and not _closes(headers),
        chunked=chunked,
        length=None if chunked else _length(headers),
    )


def _closes(headers: CIMultiDictProxy[str]) -> bool:
    return any("close" in value.lower() for value in headers.getall("Connection", []))


def _is_chunked(headers: CIMultiDictProxy[str]) -> bool:
    codings = headers.getall("Transfer-Encoding", [])
    if not codings:
        return False
    if [coding.lower() for coding in codings] != ["chunked"] or "Content-Length" in headers:
        raise Malformed("a body of unknown form")
    return True


def _length(headers: CIMultiDictProxy[str]) -> int | None:
    lengths = set(headers.getall("Content-Length", []))
    if not lengths:
        return None
    text = lengths.pop()
    if lengths or not _LENGTH.fullmatch(text):
        raise Malformed("a body of unclear length")
    return int(text)
