# SPDX-License-Identifier: Apache-2.0
"""What an operator's files are called in the payload.

The cluster applies a payload in the order of names ``0000_<run level>_<component>_<rest>``. An
operator that does not choose its place gets the default run level and its own name.
"""

from __future__ import annotations

import itertools
import re
from typing import NamedTuple

PLACED = "0000_"
"""How the name of a file begins that has chosen its place."""
DEFAULT_RUN_LEVEL = 50
_PLACE = re.compile(r"0000_([0-9]+)_([a-zA-Z0-9]+(?:-[a-zA-Z0-9]+)*?)_")


class RunLevel(NamedTuple):
    """Where the name of a file puts its objects; levels are compared as text."""

    level: str
    component: str


class PayloadNames:
    """Gives out names; two files of equal names are both kept, the later one numbered."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, *, tag: str, source: str) -> str:
        """The name of the file ``source`` of the operator ``tag``."""
        wanted = source if source.startswith(PLACED) else f"0000_{DEFAULT_RUN_LEVEL}_{tag}_{source}"
        name = next(name for name in _candidates(wanted) if name not in self._taken)
        self._taken.add(name)
        return name


def _candidates(wanted: str) -> itertools.chain[str]:
    folder, slash, base = wanted.rpartition("/")
    stem, dot, suffix = base.rpartition(".")
    if not dot:
        stem, suffix = base, ""
    numbered = (f"{folder}{slash}{stem}_{n}{dot}{suffix}" for n in itertools.count(2))
    return itertools.chain([wanted], numbered)


def run_level_of(file: str) -> RunLevel | None:
    """The run level of ``file``, None when the cluster sees none in its name."""
    found = _PLACE.match(file)
    return RunLevel(found[1], found[2]) if found else None


def is_manifest(name: str) -> bool:
    """Whether the cluster reads the file ``name``: only these endings, in lower case."""
    return name.endswith((".yaml", ".yml", ".json"))
