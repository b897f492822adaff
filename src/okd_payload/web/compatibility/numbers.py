# SPDX-License-Identifier: Apache-2.0
"""Numbers in queries, read and refused as Go programs do."""

from __future__ import annotations

import re

from okd_payload.documents.go_quote import quote
from okd_payload.web.compatibility.answers import Refusal

_WHOLE = re.compile(r"[+-]?[0-9]+")
_LARGEST = 2**63 - 1


def read_count(name: str, text: str) -> int:
    """The number that the parameter ``name`` gives. Raises Refusal."""
    if not _WHOLE.fullmatch(text):
        raise _refuse(name, f": strconv.Atoi: parsing {quote(text)}: invalid syntax")
    if len(text) > len(str(_LARGEST)) + 1 or abs(int(text)) > _LARGEST:
        raise _refuse(name, f": strconv.Atoi: parsing {quote(text)}: value out of range")
    if int(text) < 0:
        raise _refuse(name, "")
    return int(text)


def _refuse(name: str, why: str) -> Refusal:
    return Refusal(400, f"error: ?{name} must be non-negative integer{why}")
