# SPDX-License-Identifier: Apache-2.0
"""Patterns with versions in braces read exactly what they would write."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from okd_payload.catalog.builders.known import KNOWN_REFERENCES
from okd_payload.catalog.builders.patterns import axes_in, fill_versions, read_versions

VERSIONS = st.lists(st.integers(0, 99), min_size=1, max_size=3).map(
    lambda numbers: ".".join(map(str, numbers))
)
LITERALS = st.text(st.characters(codec="ascii", exclude_characters="{}*\n"), max_size=8)


@given(go=VERSIONS, os=VERSIONS, parts=st.tuples(LITERALS, LITERALS))
def test_what_was_filled_in_is_read_out(go: str, os: str, parts: tuple[str, str]) -> None:
    """Whatever stands around the versions, dots and brackets included, stands for itself."""
    start, end = parts
    pattern = f"{start}/{{go}}-el{{os}}:{end}"
    reference = fill_versions(pattern, {"go": go, "os": os})
    assert reference == f"{start}/{go}-el{os}:{end}"
    assert read_versions(pattern, reference) is not None
    assert read_versions("x/{go}-el{os}", f"x/{go}-el{os}") == {"go": go, "os": os}


@given(text=st.text(max_size=40))
def test_a_pattern_fits_the_whole_reference(text: str) -> None:
    """A pattern without braces and stars fits itself and nothing else."""
    assert (read_versions("builder:1", text) is not None) == (text == "builder:1")


@given(tail=st.text(st.characters(codec="ascii"), max_size=12))
def test_stars_stop_at_slashes(tail: str) -> None:
    """A star is any text of one part of a reference, never of several."""
    fits = read_versions("a/*", f"a/{tail}") is not None
    assert fits == ("/" not in tail)


@given(version=VERSIONS, index=st.integers(0, len(KNOWN_REFERENCES) - 1))
def test_known_references_say_what_they_ask_for(version: str, index: int) -> None:
    """Each known pattern gives every version that it has in braces, and no other."""
    pattern = KNOWN_REFERENCES[index].pattern
    reference = fill_versions(pattern, dict.fromkeys(axes_in(pattern), version))
    assert read_versions(pattern, reference.replace("*", "4.15")) == dict.fromkeys(
        axes_in(pattern), version
    )


def test_versions_are_numbers() -> None:
    """A word in the place of a version is not one."""
    assert read_versions("golang-{go}", "golang-latest") is None
    assert read_versions("golang-{go}", "golang-1.") is None
    assert fill_versions("{go} {other}", {"go": "1"}) == "1 {other}"
