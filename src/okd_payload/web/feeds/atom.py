# SPDX-License-Identifier: Apache-2.0
"""The text of an Atom feed (RFC 4287).

Everything in it is text: titles and messages come from images and people, and nothing of them
is markup. Characters that XML cannot hold are left out.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr

import msgspec

# What XML 1.0 forbids: controls, surrogates and the two last of the plane.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to tell."""

    identity: str
    title: str
    updated: float
    link: str
    text: str
    author: str


class Feed(msgspec.Struct, frozen=True, kw_only=True):
    """A feed: what it is about, and its entries, the newest first."""

    identity: str
    title: str
    link: str
    own_link: str
    entries: tuple[Entry, ...] = ()


def write_feed(feed: Feed) -> bytes:
    """``feed`` as a document; one without entries is as old as can be, and still valid."""
    updated = max((entry.updated for entry in feed.entries), default=0.0)
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<feed xmlns="http://www.w3.org/2005/Atom">',
        f"<id>{_text(feed.identity)}</id>",
        f"<title>{_text(feed.title)}</title>",
        f"<updated>{_moment(updated)}</updated>",
        f'<link rel="alternate" type="text/html" href={_attribute(feed.link)}/>',
        f'<link rel="self" type="application/atom+xml" href={_attribute(feed.own_link)}/>',
        "<author><name>okd-payload</name></author>",
        *_entries(feed.entries),
        "</feed>\n",
    ]
    return "\n".join(lines).encode()


def _entries(entries: Iterable[Entry]) -> Iterable[str]:
    for entry in entries:
        yield (
            f"<entry><id>{_text(entry.identity)}</id>"
            f"<title>{_text(entry.title)}</title>"
            f"<updated>{_moment(entry.updated)}</updated>"
            f"<author><name>{_text(entry.author)}</name></author>"
            f'<link rel="alternate" href={_attribute(entry.link)}/>'
            f'<content type="text">{_text(entry.text)}</content></entry>'
        )


def _moment(seconds: float) -> str:
    return dt.datetime.fromtimestamp(int(seconds), tz=dt.UTC).isoformat().replace("+00:00", "Z")


def _text(text: str) -> str:
    return escape(_FORBIDDEN.sub("", text))


def _attribute(text: str) -> str:
    return quoteattr(_FORBIDDEN.sub("", text))
