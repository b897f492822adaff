# SPDX-License-Identifier: Apache-2.0
"""Ranges of versions, read as the Go library blang/semver reads them.

``>=4.19.0 <4.21.0 || 4.22.x``: a space means and, ``||`` means or, an ``x`` stands for any
number. There is no ``^``. A range is plain arithmetic: ``<4.20.0`` contains ``4.20.0-okd-scos.0``.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable

import msgspec

from okd_payload.documents.go_quote import quote
from okd_payload.errors import InputError
from okd_payload.release.semver import Version, parse_version

_COMPARATORS: dict[str, Callable[[Version, Version], bool]] = {
    "": operator.eq,
    "=": operator.eq,
    "==": operator.eq,
    ">": lambda one, other: other < one,
    ">=": lambda one, other: not one < other,
    "<": operator.lt,
    "<=": lambda one, other: not other < one,
    "!": operator.ne,
    "!=": operator.ne,
}
_DIGIT = re.compile(r"[0-9]")
_LONGEST = 1000


class InvalidRange(Exception):
    """What was given is no range of versions; the words are those of the Go library."""


class Condition(msgspec.Struct, frozen=True):
    """One comparison that a version has to stand."""

    comparator: str
    version: Version

    def holds_for(self, version: Version) -> bool:
        """Whether ``version`` stands it; what was built of it counts nothing."""
        compare = _COMPARATORS[self.comparator]
        return compare(version.without_build(), self.version.without_build())


class VersionRange(msgspec.Struct, frozen=True):
    """Alternatives, of which one has to hold as a whole."""

    alternatives: tuple[tuple[Condition, ...], ...]

    def contains(self, version: Version) -> bool:
        """Whether ``version`` is in the range."""
        return any(
            all(condition.holds_for(version) for condition in conditions)
            for conditions in self.alternatives
        )


def parse_range(text: str) -> VersionRange:
    """The range that ``text`` describes. Raises InvalidRange."""
    if len(text) > _LONGEST:
        raise InvalidRange("the range is too long")
    parts = [_expand(alternative) for alternative in _split_alternatives(_split(text))]
    return VersionRange(tuple(tuple(map(_read, conditions)) for conditions in parts))


def _split(text: str) -> list[str]:
    """``text`` at its spaces, but for those behind a comparator; lone characters are lost."""
    found: list[str] = []
    begin, before = 0, ""
    for place, character in enumerate(text):
        if character == " " and before not in ("<", ">", "="):
            if begin < place - 1:
                found.append(text[begin:place])
            begin = place + 1
        elif character != " ":
            before = character
    if begin < len(text) - 1:
        found.append(text[begin:])
    return [part.replace(" ", "") for part in found]


def _split_alternatives(parts: list[str]) -> list[list[str]]:
    found: list[list[str]] = []
    begin = 0
    for place, part in enumerate(parts):
        if part == "||":
            if place == 0:
                raise InvalidRange("First element in range is '||'")
            found.append(parts[begin:place])
            begin = place + 1
    if begin == len(parts):
        raise InvalidRange("Last element in range is '||'")
    return [*found, parts[begin:]]


def _expand(conditions: list[str]) -> list[str]:
    """``conditions`` without wildcards: each becomes one or two that say the same."""
    found: list[str] = []
    for condition in conditions:
        if "x" not in condition:
            found.append(condition)
            continue
        comparator, text = _divide(condition)
        lowest = text.replace(".x.x", ".x", 1).replace(".x", ".0", 1)
        lowest = f"{lowest}.0" if lowest.count(".") == 1 else lowest
        following = _following(text, lowest)
        match comparator:
            case ">":
                found.append(f">={following}")
            case ">=" | "<":
                found.append(f"{comparator}{lowest}")
            case "<=":
                found.append(f"<{following}")
            case "" | "=" | "==":
                found += [f">={lowest}", f"<{following}"]
            case "!" | "!=":
                found += [f"<{lowest}", f">={following}"]
            case _:
                found.append("")
    return found


def _following(text: str, lowest: str) -> str:
    """The first version behind those that the wildcard ``text`` means."""
    parts = lowest.split(".")
    place = {3: 1, 2: 0}.get(len(text.split(".")) if text.endswith(".x") else 0)
    if place is None or not parts[place].isdecimal():
        return ""
    parts[place] = str(int(parts[place]) + 1)
    return ".".join(parts)


def _read(condition: str) -> Condition:
    comparator, text = _divide(condition)
    if comparator not in _COMPARATORS:
        raise InvalidRange(
            f"Could not parse Range {quote(condition)}: Could not parse comparator "
            f"{quote(comparator)} in {quote(condition)}"
        )
    try:
        return Condition(comparator, parse_version(text))
    except InputError as error:
        reason = error.message.partition("is not a semantic version: ")[2]
        raise InvalidRange(
            f"Could not parse Range {quote(condition)}: Could not parse version {quote(text)} in "
            f"{quote(condition)}: {reason}"
        ) from error


def _divide(condition: str) -> tuple[str, str]:
    """Comparator and version of ``condition``."""
    digit = _DIGIT.search(condition)
    if digit is None:
        raise InvalidRange(f"Could not get version from string: {quote(condition)}")
    return condition[: digit.start()].strip(), condition[digit.start() :]
