# SPDX-License-Identifier: Apache-2.0
"""Semantic versions, read as the Go programs of the field read them.

The cluster refuses a payload whose version its own parser (blang/semver) does not take, so the
rules here are that parser's: exactly three numbers of 64 bits, no leading zeros, no ``v``.
"""

from __future__ import annotations

import re

import msgspec

from okd_payload.errors import InputError

_LARGEST = 2**64 - 1
_DIGITS = re.compile(r"[0-9]*")
_IDENTIFIER = re.compile(r"[0-9A-Za-z-]+")
_NUMBER = r"(?:0|[1-9][0-9]{0,18})"
_PART = rf"(?:{_NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_PLAIN = re.compile(rf"({_NUMBER})\.({_NUMBER})\.({_NUMBER})(?:-({_PART}(?:\.{_PART})*))?")
"""What is surely a version: nearly all are read by this alone, for others the reason is told."""


class Version(msgspec.Struct, frozen=True):
    """A version; ``str()`` gives its text back."""

    major: int
    minor: int
    patch: int
    prerelease: tuple[str, ...] = ()
    build: tuple[str, ...] = ()

    def without_build(self) -> Version:
        """The same version without build metadata, as manifests carry it."""
        return msgspec.structs.replace(self, build=())

    def __str__(self) -> str:
        prerelease = f"-{'.'.join(self.prerelease)}" if self.prerelease else ""
        build = f"+{'.'.join(self.build)}" if self.build else ""
        return f"{self.major}.{self.minor}.{self.patch}{prerelease}{build}"

    def __lt__(self, other: Version) -> bool:
        return self.precedence() < other.precedence()

    # Each is spelled out: functools.total_ordering takes a struct to have them already.
    def __le__(self, other: Version) -> bool:
        return self.precedence() <= other.precedence()

    def __gt__(self, other: Version) -> bool:
        return self.precedence() > other.precedence()

    def __ge__(self, other: Version) -> bool:
        return self.precedence() >= other.precedence()

    def precedence(self) -> tuple[tuple[int, int, int], bool, list[tuple[bool, int, str]]]:
        """What versions are ordered by, as a key for sorting many of them.

        Numbers before words, a prerelease before its release; build metadata counts nothing.
        """
        parts = [
            (False, int(part), "") if part.isdigit() else (True, 0, part)
            for part in self.prerelease
        ]
        return (self.major, self.minor, self.patch), not self.prerelease, parts


def parse_version(text: str) -> Version:
    """``text`` as a version. Raises InputError, which gives the Go parser's reason."""
    plain = _PLAIN.fullmatch(text)
    if plain is not None:
        major, minor, patch, parts = plain.groups()
        return Version(
            major=int(major),
            minor=int(minor),
            patch=int(patch),
            prerelease=tuple(parts.split(".")) if parts else (),
        )
    if not text:
        raise _invalid(text, "Version string empty")
    parts = text.split(".", 2)
    if len(parts) != 3:
        raise _invalid(text, "No Major.Minor.Patch elements found")
    core, plus, build = parts[2].partition("+")
    patch, dash, prerelease = core.partition("-")
    return Version(
        major=_read_number(text, "major", parts[0]),
        minor=_read_number(text, "minor", parts[1]),
        patch=_read_number(text, "patch", patch),
        prerelease=_read_prerelease(text, prerelease) if dash else (),
        build=_read_build(text, build) if plus else (),
    )


def is_version(text: str) -> bool:
    """Whether ``text`` is a version."""
    try:
        parse_version(text)
    except InputError:
        return False
    return True


def sort_versions(texts: list[str]) -> list[str]:
    """``texts`` in the order of versions, or as they are when one of them is none."""
    return sorted(texts, key=parse_version) if all(map(is_version, texts)) else texts


def _read_number(text: str, name: str, digits: str) -> int:
    if not _DIGITS.fullmatch(digits):
        raise _invalid(text, f'Invalid character(s) found in {name} number "{digits}"')
    if len(digits) > 1 and digits.startswith("0"):
        raise _invalid(text, f'{name.title()} number must not contain leading zeroes "{digits}"')
    if not digits:
        raise _invalid(text, 'strconv.ParseUint: parsing "": invalid syntax')
    if len(digits) > len(str(_LARGEST)) or int(digits) > _LARGEST:
        raise _invalid(text, _out_of_range(digits))
    return int(digits)


def _read_prerelease(text: str, prerelease: str) -> tuple[str, ...]:
    parts = tuple(prerelease.split("."))
    for part in parts:
        if not part:
            raise _invalid(text, "Prerelease is empty")
        if not _IDENTIFIER.fullmatch(part):
            raise _invalid(text, f'Invalid character(s) found in prerelease "{part}"')
        if part.isdigit() and len(part) > 1 and part.startswith("0"):
            raise _invalid(
                text, f'Numeric PreRelease version must not contain leading zeroes "{part}"'
            )
        if part.isdigit() and (len(part) > len(str(_LARGEST)) or int(part) > _LARGEST):
            raise _invalid(text, _out_of_range(part))
    return parts


def _read_build(text: str, build: str) -> tuple[str, ...]:
    parts = tuple(build.split("."))
    for part in parts:
        if not part:
            raise _invalid(text, "Build meta data is empty")
        if not _IDENTIFIER.fullmatch(part):
            raise _invalid(text, f'Invalid character(s) found in build meta data "{part}"')
    return parts


def _out_of_range(digits: str) -> str:
    return f'strconv.ParseUint: parsing "{digits}": value out of range'


def _invalid(text: str, reason: str) -> InputError:
    return InputError(
        f"{text[:100]!r} is not a semantic version: {reason}",
        hint="write MAJOR.MINOR.PATCH[-PRERELEASE][+BUILD], as in 4.20.1-0.okd-scos",
    )
