# SPDX-License-Identifier: Apache-2.0
"""The values of response headers that the client acts upon.

Every function takes a header as it came and gives None for what it cannot read: a damaged
header is the same as an absent one. Formats: RFC 9110 (Retry-After, Content-Range), RFC 8288
(Link), and the distribution specification for the ``Range`` of an upload.
"""

from __future__ import annotations

import datetime as dt
import re

import msgspec

_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/(?:([0-9]{1,18})|\*)", re.ASCII)
_UPLOAD_RANGE = re.compile(r"(?:bytes=)?0-([0-9]{1,18})", re.ASCII)
_LINK = re.compile(r'<([^<>]*)>((?:[^",]|"(?:[^"\\]|\\.)*")*)')
_RELATION = re.compile(r';\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]+))', re.IGNORECASE)


class ContentRange(msgspec.Struct, frozen=True):
    """Which bytes a partial answer holds: ``first`` to ``last``, of ``total`` if told."""

    first: int
    last: int
    total: int | None


def parse_number(text: str) -> int | None:
    """A plain decimal number, as in Content-Length."""
    digits = text.strip()
    return int(digits) if _NUMBER.fullmatch(digits) else None


def parse_retry_after(text: str, *, now: float) -> float | None:
    """Seconds to wait from ``now`` (seconds since the epoch); the header has either form."""
    seconds = parse_number(text)
    if seconds is not None or not text:
        return None if seconds is None else float(seconds)
    import email.utils

    try:
        moment = email.utils.parsedate_to_datetime(text).replace(tzinfo=dt.UTC)
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0.0, moment.timestamp() - now)


def parse_next_link(text: str) -> str | None:
    """The target of the link with the relation ``next``."""
    for target, parameters in _LINK.findall(text):
        for quoted, bare in _RELATION.findall(parameters):
            if "next" in (quoted or bare).lower().split():
                return str(target)
    return None


def parse_content_range(text: str) -> ContentRange | None:
    """The range of a 206 answer."""
    found = _CONTENT_RANGE.fullmatch(text.strip())
    if not found:
        return None
    first, last, total = found.groups()
    return ContentRange(int(first), int(last), None if total is None else int(total))


def parse_upload_range(text: str) -> int | None:
    """How many bytes of an upload a registry has; ``0-0`` means none, as docker's says it."""
    found = _UPLOAD_RANGE.fullmatch(text.strip())
    if not found:
        return None
    last = int(found[1])
    return last + 1 if last else 0
