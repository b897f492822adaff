# SPDX-License-Identifier: Apache-2.0
"""Ranges mean what they mean to the Go library that the old controller uses."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as some

from okd_payload.release.semver import parse_version
from okd_payload.web.compatibility.answers import Refusal
from okd_payload.web.compatibility.numbers import read_count
from okd_payload.web.compatibility.ranges import InvalidRange, parse_range


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("4.19.0", ["4.19.0", "4.19.0+build"], ["4.19.1", "4.19.0-a"]),
        ("=4.19.0", ["4.19.0"], ["4.19.1"]),
        ("==4.19.0", ["4.19.0"], ["4.19.1"]),
        (">4.19.0", ["4.19.1"], ["4.19.0", "4.19.0-a"]),
        (">=4.19.0", ["4.19.0"], ["4.19.0-okd-scos.10"]),
        ("<4.20.0", ["4.20.0-okd-scos.0", "4.19.9"], ["4.20.0"]),
        ("<=4.20.0", ["4.20.0"], ["4.20.1"]),
        ("!4.20.0", ["4.20.1"], ["4.20.0"]),
        ("!=4.20.0 <4.21.0", ["4.20.1"], ["4.20.0", "4.22.0"]),
        ("> 4.19.0 < 4.20.0", ["4.19.5"], ["4.20.0", "4.19.0"]),
        ("<4.1.0 || >=4.2.0", ["4.0.9", "4.2.0"], ["4.1.5"]),
        ("4.19.x", ["4.19.0", "4.19.9", "4.20.0-a"], ["4.20.0", "4.19.0-a"]),
        ("4.x", ["4.0.0", "4.99.1"], ["5.0.0", "3.9.9"]),
        (">4.19.x", ["4.20.0"], ["4.19.9"]),
        (">=4.19.x", ["4.19.0"], ["4.18.9"]),
        ("<4.19.x", ["4.18.9"], ["4.19.0"]),
        ("<=4.19.x", ["4.19.9"], ["4.20.0"]),
        ("!=4.19.x", [], ["4.18.0", "4.19.1", "4.20.0"]),
        ("4.19.0   4.19.0", ["4.19.0"], ["4.19.1"]),
    ],
)
def test_ranges_contain_what_they_should(text: str, inside: list[str], outside: list[str]) -> None:
    """Plain arithmetic over versions, and nothing special about prereleases.

    A wildcard that is excluded leaves nothing at all, as in the library: both halves must hold.
    """
    wanted = parse_range(text)
    assert [each for each in inside if not wanted.contains(parse_version(each))] == []
    assert [each for each in outside if wanted.contains(parse_version(each))] == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("not a range", 'Could not get version from string: "not"'),
        ("^4.19.0", 'Could not parse comparator "^" in "^4.19.0"'),
        (">>4", 'Could not parse Range ">>4": Could not parse comparator ">>" in ">>4"'),
        ("|| 4.1.0", "First element in range is '||'"),
        ("4.1.0 ||", "Last element in range is '||'"),
        (">4.1", 'Could not parse version "4.1" in ">4.1": No Major.Minor.Patch elements found'),
        ("9" * 1001, "the range is too long"),
        ("~4.x", "Could not get version from string"),
    ],
)
def test_what_is_no_range_is_refused_in_the_same_words(text: str, words: str) -> None:
    """Clients see them."""
    with pytest.raises(InvalidRange) as caught:
        parse_range(text)
    assert words in str(caught.value)


@given(some.text(alphabet="0123456789.x<>=!|^~ -+a", max_size=40))
def test_any_text_is_a_range_or_refused(text: str) -> None:
    """Nothing else comes of it."""
    with contextlib.suppress(InvalidRange):
        parse_range(text).contains(parse_version("4.20.0-okd-scos.0"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x", 'strconv.Atoi: parsing "x": invalid syntax'),
        ("1.5", 'strconv.Atoi: parsing "1.5": invalid syntax'),
        ("9" * 40, "value out of range"),
        ("-1", "error: ?rel must be non-negative integer"),
        ("²", "invalid syntax"),
    ],
)
def test_numbers_are_refused_in_the_same_words(text: str, words: str) -> None:
    """As Go's reader of numbers says it."""
    with pytest.raises(Refusal) as caught:
        read_count("rel", text)
    assert words in caught.value.words
    assert caught.value.status == 400


def test_numbers_are_read() -> None:
    """With a sign, too."""
    assert (read_count("rel", "0"), read_count("rel", "+3")) == (0, 3)
