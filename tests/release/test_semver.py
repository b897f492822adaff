# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.errors import InputError
from okd_payload.release.semver import is_version, parse_version, sort_versions

_NUMBERS = st.integers(0, 2**64 - 1)
_PARTS = st.from_regex(r"[0-9A-Za-z-]{1,8}", fullmatch=True).filter(
    lambda text: not (text.isdigit() and len(text) > 1 and text.startswith("0"))
)


@given(_NUMBERS, _NUMBERS, _NUMBERS, st.lists(_PARTS, max_size=3), st.lists(_PARTS, max_size=2))
def test_text_survives(major, minor, patch, prerelease, build):
    """What is a version by the grammar is read, and written as it was."""
    text = f"{major}.{minor}.{patch}"
    text += f"-{'.'.join(prerelease)}" if prerelease else ""
    text += f"+{'.'.join(build)}" if build else ""
    assert str(parse_version(text)) == text


@given(st.text("0189.-aA", max_size=24) | st.text("0123456789.", max_size=70))
def test_what_is_plain_is_read_as_anything_else(text):
    """A build changes nothing but itself: neither what else is read, nor what is refused."""
    assert is_version(text) == is_version(f"{text}+b")
    if is_version(text):
        assert parse_version(text) == parse_version(f"{text}+b").without_build()


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text):
    """Whatever comes, it is a version or an InputError, and a version is written as it was."""
    if is_version(text):
        assert str(parse_version(text)) == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Version string empty"),
        ("4.20", "No Major.Minor.Patch elements found"),
        ("v4.20.1", 'Invalid character(s) found in major number "v4"'),
        ("4.20.x", 'Invalid character(s) found in patch number "x"'),
        ("4.020.1", 'Minor number must not contain leading zeroes "020"'),
        ("4..1", 'strconv.ParseUint: parsing "": invalid syntax'),
        ("4.20.1.0", 'Invalid character(s) found in patch number "1.0"'),
        ("18446744073709551616.0.0", "out of range"),
        ("4.20.1-", "Prerelease is empty"),
        ("4.20.1-rc.01", "Numeric PreRelease version must not contain leading zeroes"),
        ("4.20.1-rc.18446744073709551616", "out of range"),
        ("4.20.1-rc_1", "Invalid character(s) found in prerelease"),
        ("4.20.1+", "Build meta data is empty"),
        ("4.20.1+a_b", "Invalid character(s) found in build meta data"),
    ],
)
def test_reasons(text, reason):
    """What is refused is refused in the words of the cluster's parser."""
    with pytest.raises(InputError, match=r"is not a semantic version") as caught:
        parse_version(text)
    assert reason in caught.value.message


def test_order():
    """Numbers count as numbers, a prerelease comes before its release, build metadata nowhere."""
    ordered = [
        "4.9.1",
        "4.19.3",
        "4.20.0-1",
        "4.20.0-rc.2",
        "4.20.0-rc.10",
        "4.20.0-rc.a",
        "4.20.0",
    ]
    assert sort_versions(ordered[::-1]) == ordered
    assert sort_versions(["x", "4.1.0"]) == ["x", "4.1.0"]


def test_every_comparison():
    """Each of the four operators orders versions, and build metadata makes no difference."""
    lower, same, higher = map(parse_version, ("4.20.0-rc.2+a", "4.20.0-rc.2+b", "4.20.0"))
    compare = (operator.lt, operator.le, operator.gt, operator.ge)
    assert [each(lower, higher) for each in compare] == [True, True, False, False]
    assert [each(higher, lower) for each in compare] == [False, False, True, True]
    assert [each(lower, same) for each in compare] == [False, True, False, True]


def test_build_metadata_is_dropped_for_manifests():
    """Manifests carry versions without build metadata."""
    assert str(parse_version("4.20.0-rc.1+build.5").without_build()) == "4.20.0-rc.1"
