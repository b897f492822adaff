# SPDX-License-Identifier: Apache-2.0
"""Quantities of Kubernetes as numbers, for those who compare them or set limits by them.

The grammar is that of ``k8s.io/apimachinery/pkg/api/resource``, without signs: nobody asks for
less than nothing. What is written to a cluster stays the text that people wrote.
"""

from __future__ import annotations

import re

from okd_payload.errors import InputError

_QUANTITY = re.compile(
    r"(?P<number>\d{1,18}(?:\.\d{0,18})?|\.\d{1,18})"
    r"(?:(?P<exponent>[eE][+-]?\d{1,2})|(?P<suffix>[numkMGTPE]?|[KMGTPE]i))",
    re.ASCII,
)
_DECIMAL = {
    "n": 1e-9,
    "u": 1e-6,
    "m": 1e-3,
    "": 1.0,
    **{letter: 1000.0**power for power, letter in enumerate("kMGTPE", 1)},
}
_BINARY = {f"{letter}i": 1024.0**power for power, letter in enumerate("KMGTPE", 1)}
_FACTORS = _DECIMAL | _BINARY


def size_of(quantity: str) -> float:
    """``quantity`` as a number, of processors or of bytes. Raises InputError when it is none."""
    matched = _QUANTITY.fullmatch(quantity)
    if matched is None:
        raise InputError(f"{quantity!r} is not a quantity", hint="write it as in 500m, 4 or 8Gi")
    if matched["exponent"]:
        return float(quantity)
    return float(matched["number"]) * _FACTORS[matched["suffix"]]
