# SPDX-License-Identifier: Apache-2.0
"""What a registry says in ``WWW-Authenticate``: which ways to log in it accepts.

The grammar is that of RFC 9110 section 11: a list of challenges, each a scheme followed by a
token or by parameters. Commas part both challenges and parameters; a word followed by ``=`` is
a parameter, any other word begins the next challenge. Damage ends the reading: what was read
until there counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

_SEPARATORS = re.compile(r"[\s,]*")
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - a grammar's token, no secret
_PARAMETER = re.compile(rf'({_TOKEN})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|({_TOKEN})(?=[\s,]|$))')
_SCHEME = re.compile(rf"({_TOKEN})(?=[\s,]|$)")
_TOKEN68 = re.compile(r"[ \t]+[A-Za-z0-9._~+/-]+=*[ \t]*(?=,|$)")
_ESCAPED = re.compile(r"\\(.)")


class Challenge(msgspec.Struct, frozen=True):
    """One way to log in: ``scheme`` in lower case, parameters by lower case name."""

    scheme: str
    parameters: dict[str, str]


def parse_challenges(headers: Iterable[str]) -> list[Challenge]:
    """All challenges of all ``WWW-Authenticate`` headers of one answer, in order."""
    return [challenge for header in headers for challenge in _parse(header)]


def _parse(header: str) -> list[Challenge]:
    challenges: list[Challenge] = []
    position = 0
    while True:
        position = _skip(header, position)
        parameter = _PARAMETER.match(header, position)
        if parameter and challenges:
            name, quoted, bare = parameter.groups()
            value = _ESCAPED.sub(r"\1", quoted) if quoted is not None else bare
            challenges[-1].parameters.setdefault(name.lower(), value)
            position = parameter.end()
            continue
        scheme = _SCHEME.match(header, position)
        if not scheme:
            return challenges
        challenges.append(Challenge(scheme[1].lower(), {}))
        token = _TOKEN68.match(header, scheme.end())
        position = token.end() if token else scheme.end()


def _skip(header: str, position: int) -> int:
    found = _SEPARATORS.match(header, position)
    return found.end() if found else position
