# SPDX-License-Identifier: Apache-2.0
"""Names of what builds an image: of component, build key and attempt, and of nothing else.

So a creation whose answer was lost can be repeated and does not make two, and whoever plans the
same again, on whatever machine, meets what runs already.
"""

from __future__ import annotations

import re

_UNFIT = re.compile(r"[^a-z0-9]+")
_KEY_DIGITS = 12


def attempt_name(component: str, key: str, attempt: int, *, longest: int) -> str:
    """The name of an attempt at building ``component`` with ``key``."""
    tail = f"-{key[:_KEY_DIGITS]}-{attempt}"
    return f"{object_name(component, longest=longest - len(tail))}{tail}"


def attempt_of(name: str) -> int:
    """The number of the attempt in a name that ``attempt_name`` made; 0 in any other."""
    number = name.rpartition("-")[2]
    return int(number) if number.isdecimal() and number.isascii() else 0


def object_name(component: str, *, longest: int) -> str:
    """``component`` as the name of an object: small letters, digits and dashes."""
    return _UNFIT.sub("-", component.lower()).strip("-")[:longest].strip("-") or "build"
