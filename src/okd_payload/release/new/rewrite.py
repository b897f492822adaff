# SPDX-License-Identifier: Apache-2.0
"""Putting pull specs and versions into manifests.

Operators' manifests name images and versions by placeholders. They are replaced as text, in any
kind of file: a manifest is never parsed and written again, so comments, order and style survive,
and the payload is byte for byte what ``oc adm release new`` makes of the same input. The
patterns are that program's, including what they leave alone: a placeholder that is followed by
anything but a locator, white space, a quote or the end stays, and of two references with one
blank between them the second stays, because the blank belonged to the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec

from okd_payload.release.versions import VersionTable

VERSION_PLACEHOLDER = b"0.0.1-snapshot"

_TAIL = re.compile(
    rb"(?::[0-9A-Za-z_][0-9A-Za-z_.\-]{0,127}"
    rb"|@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9A-Fa-f]{2,})?"
    rb"([\t\n\f\r \"']|\Z)"
)
"""What may follow a placeholder: a locator, which goes, and a character or the end, which stays."""
_WORD = re.compile(rb"[0-9A-Za-z_]")
_VERSION = re.compile(rb"([^0-9A-Za-z_]|\A)0\.0\.1-snapshot([a-z0-9\-]*)")


class ImageRewriter:
    """Replaces the placeholders of one operator by pull specs.

    The pattern of the peer, ``BEFORE(A|B|...)LOCATOR?AFTER``, is followed by hand: compiling it
    for every operator takes longer than all that it is used for.
    """

    def __init__(self, pull_specs: Mapping[str, str]) -> None:
        """``pull_specs`` by placeholder; of two that both fit, the longer one counts."""
        given = {key.encode(): spec.encode() for key, spec in pull_specs.items()}
        self._pull_specs = {
            key: given[key] for key in sorted(given, key=lambda text: (-len(text), text))
        }

    def rewrite(self, content: bytes) -> bytes:
        """``content`` with pull specs for placeholders."""
        candidates = sorted(self._candidates(content))
        if not candidates:
            return content
        pieces = []
        done = 0
        for start, _, place, placeholder in candidates:
            if start < done:
                continue
            tail = _TAIL.match(content, place + len(placeholder))
            if tail is not None:
                pieces += [content[done:place], self._pull_specs[placeholder], tail[1]]
                done = tail.end()
        return b"".join([*pieces, content[done:]])

    def _candidates(self, content: bytes) -> Iterator[tuple[int, int, int, bytes]]:
        """Where a match might begin, which of several that begin there is tried first, and of what.

        A match begins with the character before the placeholder, where there is one.
        """
        for order, placeholder in enumerate(self._pull_specs):
            place = content.find(placeholder)
            while place >= 0:
                if place == 0:
                    yield 0, len(self._pull_specs) + order, place, placeholder
                elif not _WORD.match(content, place - 1):
                    yield place - 1, order, place, placeholder
                place = content.find(placeholder, place + 1)


class RewrittenVersions(msgspec.Struct, frozen=True):
    """Content with versions in it, and the sentences about references that mean nothing."""

    content: bytes
    problems: tuple[str, ...] = ()


class VersionRewriter:
    """Replaces ``0.0.1-snapshot`` by the release's version, ``0.0.1-snapshot-KEY`` by KEY's."""

    def __init__(self, release: str, table: VersionTable) -> None:
        self._release = release
        self._table = table

    def rewrite(self, content: bytes) -> RewrittenVersions:
        """``content`` with versions; what means nothing is left as it is and reported."""
        if VERSION_PLACEHOLDER not in content:
            return RewrittenVersions(content)
        problems: dict[str, None] = {}

        def replace(match: re.Match[bytes]) -> bytes:
            suffix = match[2].decode()
            version, problem = self._resolve(suffix)
            if problem:
                problems[problem] = None
            return match[0] if version is None else match[1] + version.encode()

        return RewrittenVersions(_VERSION.sub(replace, content), tuple(problems))

    def _resolve(self, suffix: str) -> tuple[str | None, str]:
        """The version for what follows the placeholder, None to leave it; and a problem."""
        if not suffix:
            return self._release, ""
        if not suffix.startswith("-"):
            return None, ""
        key = suffix[1:]
        if not key:
            return None, "empty version references are not allowed"
        if key in self._table.ambiguous:
            return None, (
                f'the version for "{key}" is inconsistent across the referenced images: '
                + self._table.ambiguous[key]
            )
        found = self._table.versions.get(key)
        if found is None:
            return None, f'unknown version reference "{key}"'
        return found.version, ""
