# SPDX-License-Identifier: Apache-2.0
"""Texts with versions in braces: read out of references, and filled into names.

``{go}`` stands for a version, that is for numbers with dots between them; a star stands for any
text without '/'. A pattern fits the whole reference or not at all. Nothing else is special, so
patterns are written like the references themselves.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping

_PART = re.compile(r"(\{\w+\}|\*)")
_AXIS = re.compile(r"\{(\w+)\}")
_VERSION = r"[0-9]+(?:\.[0-9]+)*"


def axes_in(pattern: str) -> tuple[str, ...]:
    """The names in braces, in order."""
    return tuple(_AXIS.findall(pattern))


def read_versions(pattern: str, reference: str) -> dict[str, str] | None:
    """The versions that ``reference`` has where ``pattern`` has braces, None when it fits not."""
    match = _compiled(pattern).fullmatch(reference)
    return None if match is None else match.groupdict()


def fill_versions(text: str, versions: Mapping[str, str]) -> str:
    """``text`` with each name in braces replaced by its version; unknown names stay."""
    return _AXIS.sub(lambda name: versions.get(name[1], name[0]), text)


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = []
    for part in _PART.split(pattern):
        if part == "*":
            parts.append("[^/]*")
        elif axis := _AXIS.fullmatch(part):
            parts.append(f"(?P<{axis[1]}>{_VERSION})")
        else:
            parts.append(re.escape(part))
    return re.compile("".join(parts))
