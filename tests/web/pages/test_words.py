# SPDX-License-Identifier: Apache-2.0
"""Values in words: rough where people look, exact in the title, and harmless whatever they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.web.pages import words
from okd_payload.web.pages.markdown import render_markdown


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (61, "1 min"),
        (3600 * 5, "5 h"),
        (86400, "1 day"),
        (200000, "2 days"),
    ],
)
def test_spans_are_one_number(seconds, told) -> None:
    """Nobody reads seconds of what was days ago."""
    assert words.tell_span(seconds) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "0 s"),
        (0.2, "under 1 s"),
        (48, "48 s"),
        (185, "3 min 05 s"),
        (3720, "1 h 02 min"),
        (86400 * 2 + 3600 * 4, "2 d 4 h"),
    ],
)
def test_durations_have_two_numbers(seconds, told) -> None:
    """Enough to compare two runs."""
    assert words.tell_duration(seconds) == told


@pytest.mark.parametrize(
    ("size", "told"),
    [(0, "0 B"), (1023, "1023 B"), (40_000, "39 KiB"), (91_645_542, "87.4 MiB")],
)
def test_sizes_are_compared_at_a_glance(size, told) -> None:
    """In the unit that leaves few digits."""
    assert words.tell_size(size) == told


def test_moments_have_the_full_time() -> None:
    """Relative for the eye, UTC in the title, exact for programs; the future is told, too."""
    marked = words.mark_moment(1_700_000_000.0, 1_700_007_200.0)
    assert 'datetime="2023-11-14T22:13:20Z"' in marked
    assert 'title="2023-11-14 22:13:20 UTC"' in marked
    assert ">2 h ago<" in marked
    assert words.tell_age(100.0 + 3600 * 3, 100.0) == "in 3 h"
    assert "never" in words.mark_moment(None, 0.0)


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "data:text/html,x", "//host/x", "http://", "http://[x"]
)
def test_only_web_addresses_are_links(address) -> None:
    """What could run something when it is clicked is no link."""
    assert words.web_link(address) == ""


def test_links_of_commits_lead_to_forges() -> None:
    """Where the source is on one; scripts as sources lead nowhere."""
    assert words.commit_link("https://github.com/openshift/etcd", "abc") == (
        "https://github.com/openshift/etcd/commit/abc"
    )
    assert words.comparison_link("git@github.com:openshift/etcd.git", "a", "b") == (
        "https://github.com/openshift/etcd/compare/a...b"
    )
    assert words.commit_link("javascript:alert(1)", "abc") == ""
    assert words.commit_link("https://github.com/openshift/etcd", "") == ""


def test_texts_turn_nothing_round() -> None:
    """Terminal sequences go, what reorders writing is made visible, length is bounded."""
    assert words.clean("\x1b[31mred\x1b[0m\x00 \u202egnp") == "red \N{REPLACEMENT CHARACTER}gnp"
    assert words.clean("x" * 50, 10) == "x" * 10 + "…"


def test_markdown_has_what_messages_need() -> None:
    """Paragraphs, lists, emphasis, code and links."""
    made = render_markdown("A **b** *c* `d` [e](https://e.test/)\n\n- one\n- https://two.test/x.")
    assert made == (
        "<p>A <strong>b</strong> <em>c</em> <code>d</code> "
        '<a href="https://e.test/" rel="noreferrer">e</a></p>\n'
        "<ul><li>one</li><li>"
        '<a href="https://two.test/x" rel="noreferrer">https://two.test/x</a>.</li></ul>'
    )


@given(st.text(alphabet="<>\"'&[]()*_`-\n abjs:/h", max_size=200))
def test_markdown_makes_no_markup_of_its_own(text) -> None:
    """Whatever is written, only the listed elements come out, with nothing but web links."""
    import re

    made = str(render_markdown(text))
    for tag in re.findall(r"<[^>]*>", made):
        assert re.fullmatch(
            r'</?(?:p|ul|li|strong|em|code|a)>|<a href="https?://[^"<>]*" rel="noreferrer">', tag
        )
