# SPDX-License-Identifier: Apache-2.0
"""Reading Retry-After, Link, Content-Range and Range."""

from __future__ import annotations

import email.utils

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.oci.registry.headers import (
    ContentRange,
    parse_content_range,
    parse_next_link,
    parse_number,
    parse_retry_after,
    parse_upload_range,
)

NOW = 1_700_000_000.0
ALL = (parse_content_range, parse_next_link, parse_number, parse_upload_range)


@given(st.integers(0, 10**9))
def test_retry_after_in_seconds(seconds):
    """A number is that many seconds."""
    assert parse_retry_after(f" {seconds} ", now=NOW) == seconds


@given(st.integers(-(10**6), 10**6))
def test_retry_after_as_a_date(seconds):
    """A date is the time until then, and none when it has passed."""
    text = email.utils.formatdate(NOW + seconds, usegmt=True)
    assert parse_retry_after(text, now=NOW) == max(0, seconds)


@pytest.mark.parametrize("text", ["", "soon", "-5", "1.5", "Mon, 99 Foo 2020 00:00:00 GMT"])
def test_damaged_retry_after_is_none(text):
    """What is neither a number nor a date says nothing."""
    assert parse_retry_after(text, now=NOW) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('</v2/a/tags/list?n=2&last=b>; rel="next"', "/v2/a/tags/list?n=2&last=b"),
        ("<https://x/y>;rel=next", "https://x/y"),
        ('<a>; rel="prev", <b>; rel="next"', "b"),
        ('<a>; title="x, rel=next"; rel="prev", <b>; rel="last next"', "b"),
        ('<a,b>; rel="next"', "a,b"),
        ('<a>; REL="NEXT"', "a"),
        ("<a>", None),
        ('a; rel="next"', None),
        ("", None),
    ],
)
def test_the_next_link_is_found(text, expected):
    """Of all links the one that leads to the next page counts."""
    assert parse_next_link(text) == expected


@given(st.lists(st.text("abc/?=&%,;.", min_size=1), min_size=1, max_size=4), st.data())
def test_links_that_are_written_are_read(targets, data):
    """Among any targets the one marked as next is found."""
    chosen = data.draw(st.integers(0, len(targets) - 1))
    links = [
        f'<{target}>; rel="{"next" if number == chosen else "other"}"'
        for number, target in enumerate(targets)
    ]
    assert parse_next_link(", ".join(links)) == targets[chosen]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bytes 5-9/10", ContentRange(5, 9, 10)),
        ("bytes 5-9/*", ContentRange(5, 9, None)),
        ("bytes */10", None),
        ("items 5-9/10", None),
        ("5-9/10", None),
    ],
)
def test_content_ranges(text, expected):
    """A part of known or unknown whole is understood, anything else is none."""
    assert parse_content_range(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0-0", 0), ("0-9", 10), ("bytes=0-9", 10), ("1-9", None), ("", None)],
)
def test_upload_ranges(text, expected):
    """The range of an upload says how many bytes arrived; 0-0 is what docker says for none."""
    assert parse_upload_range(text) == expected


@given(st.text(max_size=100))
def test_any_header_can_be_read(text):
    """Whatever stands in a header, reading it raises nothing."""
    assert parse_retry_after(text, now=NOW) is None or parse_retry_after(text, now=NOW) >= 0
    for parse in ALL:
        parse(text)
