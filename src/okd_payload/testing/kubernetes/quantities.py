# SPDX-License-Identifier: Apache-2.0
"""Quantities of Kubernetes: ``500m``, ``2Gi``, ``1e3``.

Exact, and written back in the canonical form of ``k8s.io/apimachinery/pkg/api/resource``, because
a quota is shown as the sum of what pods ask for. It stands apart from ``engines.quantities`` on
purpose: a simulator that shared the reading of what it tests would share its faults.
"""

from __future__ import annotations

import re
from decimal import ROUND_UP, Decimal, localcontext

import msgspec

PATTERN = "^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$"
"""What the API server says that quantities must match."""
_NUMBER = re.compile(r"([+-]?(?:\d{1,99}(?:\.\d{0,99})?|\.\d{1,99}))(.*)")
_EXPONENT = re.compile(r"[eE][+-]?\d{1,2}")
_DIGITS = 400
"""Enough for every number that these two let through; by default 28 digits are kept."""
_BINARY = {f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", 1)}
_DECIMAL = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "": Decimal(1),
    **{letter: Decimal(1000) ** power for power, letter in enumerate("kMGTPE", 1)},
}


class Quantity(msgspec.Struct, frozen=True):
    """An amount, and whether it is written in powers of two."""

    amount: Decimal
    binary: bool = False

    def __add__(self, other: Quantity) -> Quantity:
        with localcontext(prec=_DIGITS):
            return Quantity(self.amount + other.amount, self.binary or other.binary)

    def __str__(self) -> str:
        with localcontext(prec=_DIGITS):
            return self._written()

    def _written(self) -> str:
        if not self.amount:
            return "0"
        if self.binary and abs(self.amount) >= 1024:
            for suffix, factor in reversed(_BINARY.items()):
                if not self.amount % factor:
                    return f"{self.amount / factor:f}{suffix}"
            return f"{self.amount.to_integral_value(ROUND_UP):f}"
        for suffix, factor in reversed(_DECIMAL.items()):
            if not self.amount % factor:
                return f"{(self.amount / factor).to_integral_value():f}{suffix}"
        return f"{self.amount:f}"


ZERO = Quantity(Decimal(0))


def read_quantity(value: object) -> Quantity | None:
    """The quantity that ``value`` is; nothing when it is none."""
    usable = isinstance(value, str | int | float) and not isinstance(value, bool)
    found = _NUMBER.fullmatch(str(value)) if usable else None
    if found is None:
        return None
    with localcontext(prec=_DIGITS):
        return _quantity_of(found[1], found[2])


def _quantity_of(number: str, suffix: str) -> Quantity | None:
    if suffix in _BINARY:
        return Quantity(Decimal(number) * _BINARY[suffix], binary=True)
    if suffix in _DECIMAL:
        return Quantity(Decimal(number) * _DECIMAL[suffix])
    return Quantity(Decimal(number + suffix)) if _EXPONENT.fullmatch(suffix) else None
