# SPDX-License-Identifier: Apache-2.0
"""The first error that a build printed: what its author would look for in the log.

Compilers say a place before they say what is wrong with it, so the first line with a place is
it. Other programs write "error" in it; and where nobody does, there is no first error. What
the engine says of itself is nobody's error: the instructions that it repeats, and its own log.
"""

from __future__ import annotations

import re
from pathlib import Path

from okd_payload.build.log_text import clean_text

MOST_BYTES = 16 * 1024 * 1024
_PLACED = re.compile(r"^(?:#\d+ [\d.]+ )?(\S+\.\w+:\d+(?::\d+)?: .+)$", re.MULTILINE)
_GO = re.compile(r"^go: .+$|^\S+\.go:\d+:\d+: .+$", re.MULTILINE)
_ERROR = re.compile(
    r"^.*\b(?:error|fatal|cannot|undefined|not found)\b.*$", re.MULTILINE | re.IGNORECASE
)
_OF_THE_ENGINE = re.compile(
    r"^(?:# build .+ for |\$ buildah |time=\"|(?:\[\d+/\d+\] )?STEP \d+(?:/\d+)?: ).*\n?",
    re.MULTILINE,
)
_LENGTH = 500


def find_first_error(log: Path) -> str:
    """The first error in the file ``log``; empty when there is none to be seen."""
    try:
        with log.open("rb") as file:
            text = file.read(MOST_BYTES).decode(errors="replace")
    except OSError:
        return ""
    return first_error(text)


def first_error(text: str) -> str:
    """The first error in what a build printed."""
    plain = _OF_THE_ENGINE.sub("", clean_text(text))
    for pattern in (_GO, _PLACED, _ERROR):
        found = pattern.search(plain)
        if found:
            return found[0].strip()[:_LENGTH]
    return ""
