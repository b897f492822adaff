# SPDX-License-Identifier: Apache-2.0
"""Durations and quantities as Go reads and writes them.

The webhook writes every object anew, so that ``60s`` comes back as ``1m0s`` and ``0.5`` of a
processor as ``500m``. What does not parse is refused with the text of the library that failed.
"""

from __future__ import annotations

import re
from decimal import ROUND_UP, Decimal, localcontext

from okd_payload.testing.tekton.admission.refusals import Undecodable

SECOND = 1_000_000_000
_UNITS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": SECOND,
    "m": 60 * SECOND,
    "h": 3600 * SECOND,
}
_NUMBER = re.compile(r"[0-9]*(?:\.[0-9]*)?")
_UNIT = re.compile(r"[^0-9.]*")

_QUANTITY = re.compile(r"([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)")
_PLAIN_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)")
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_MOST_EXPONENT = 99
"""Kubernetes takes more; what it would stand for fits no machine."""
_FORM = (
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
)


def nanoseconds(text: str) -> int:
    """The length of a duration such as ``1h30m``; days are unknown to Go. Raises Undecodable."""
    rest = text.removeprefix("-") if text.startswith("-") else text.removeprefix("+")
    if rest == "0":
        return 0
    if not rest:
        raise Undecodable(f'time: invalid duration "{text}"')
    total = Decimal(0)
    while rest:
        number = _matched(_NUMBER, rest)
        if not number.strip("."):
            raise Undecodable(f'time: invalid duration "{text}"')
        rest = rest[len(number) :]
        unit = _matched(_UNIT, rest)
        if not unit:
            raise Undecodable(f'time: missing unit in duration "{text}"')
        if unit not in _UNITS:
            raise Undecodable(f'time: unknown unit "{unit}" in duration "{text}"')
        rest = rest[len(unit) :]
        total += Decimal(number) * _UNITS[unit]
    return -int(total) if text.startswith("-") else int(total)


def duration_text(length: int) -> str:
    """A duration as Go writes it: ``1h0m0s``, ``1m30s``, ``250ms``, ``0s``."""
    sign, rest = ("-", -length) if length < 0 else ("", length)
    if rest < SECOND:
        for unit, size in (("ms", 1_000_000), ("µs", 1_000), ("ns", 1)):
            if rest >= size:
                return f"{sign}{_plain(Decimal(rest) / size)}{unit}"
        return "0s"
    hours, rest = divmod(rest, 3600 * SECOND)
    minutes, rest = divmod(rest, 60 * SECOND)
    seconds = _plain(Decimal(rest) / SECOND)
    if hours:
        return f"{sign}{hours}h{minutes}m{seconds}s"
    return f"{sign}{minutes}m{seconds}s" if minutes else f"{sign}{seconds}s"


def canonical_quantity(text: str) -> str:
    """A quantity as Kubernetes writes it: the largest unit that leaves a whole number.

    Raises Undecodable.
    """
    if not (match := _QUANTITY.fullmatch(text)) or not _PLAIN_NUMBER.fullmatch(match[1]):
        raise Undecodable(_FORM)
    with localcontext(prec=len(text) + 2 * _MOST_EXPONENT):  # by default 28 digits are kept
        return _canonical(Decimal(match[1]), match[2])


def _canonical(number: Decimal, suffix: str) -> str:
    if suffix in _BINARY:
        return _binary(number * 1024 ** _BINARY[suffix])
    if suffix in _DECIMAL:
        return _decimal(number.scaleb(_DECIMAL[suffix]), exponent=False)
    if exponent := re.fullmatch(r"[eE]([+-]?[0-9]+)", suffix):
        if abs(int(exponent[1])) > _MOST_EXPONENT:
            raise Undecodable(_FORM)
        return _decimal(number.scaleb(int(exponent[1])), exponent=True)
    raise Undecodable("unable to parse quantity's suffix")


def _binary(value: Decimal) -> str:
    if value != value.to_integral_value():
        return _decimal(value, exponent=False)
    whole, power = int(value), 0
    while whole and whole % 1024 == 0 and power < len(_BINARY):
        whole, power = whole // 1024, power + 1
    return f"{whole}{next((unit for unit, it in _BINARY.items() if it == power), '')}"


def _decimal(value: Decimal, *, exponent: bool) -> str:
    value = value.quantize(Decimal(1).scaleb(-9), rounding=ROUND_UP)  # nothing below nano
    if not value:
        return "0"
    for unit, power in sorted(_DECIMAL.items(), key=lambda it: -it[1]):
        scaled = value.scaleb(-power)
        if scaled == scaled.to_integral_value():
            tail = (f"e{power}" if power else "") if exponent else unit
            return f"{int(scaled)}{tail}"
    raise AssertionError(value)  # nano leaves a whole number always


def _plain(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _matched(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.match(text)
    return match[0] if match else ""
