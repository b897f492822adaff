# SPDX-License-Identifier: Apache-2.0
"""Text as Go's libraries lay it out: values by ``%v``, columns by ``text/tabwriter``.

Scripts cut up what ``oc adm release info`` prints, so ours is laid out the same way.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

_LEAST_EXPONENT, _EXPONENT_FROM = -4, 6


def format_value(value: Any) -> str:
    """A value that was read from JSON, as Go prints it."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        items = sorted(value.items())
        return f"map[{' '.join(f'{key}:{format_value(item)}' for key, item in items)}]"
    if isinstance(value, list):
        return f"[{' '.join(map(format_value, value))}]"
    if isinstance(value, float):
        return _format_float(value)
    return str(value)


def align(lines: Sequence[str], *, padding: int = 1) -> str:
    """``lines`` with their cells, which end in tabs, in columns; each line ends with a newline.

    A column is a run of lines that have a cell there, as wide as its widest cell. What follows
    the last tab of a line belongs to no column.
    """
    rows = [line.split("\t") for line in lines]
    _align_column(rows, 0, padding)
    return "".join("".join(row) + "\n" for row in rows)


def _align_column(rows: list[list[str]], column: int, padding: int) -> None:
    """Pad the cells of ``column``, run by run, then those right of it inside each run."""
    for has_cell, group in itertools.groupby(rows, lambda row: len(row) > column + 1):
        if has_cell:
            run = list(group)
            width = max(len(row[column]) for row in run) + padding
            for row in run:
                row[column] = row[column].ljust(width)
            _align_column(run, column + 1, padding)


def _format_float(value: float) -> str:
    """Go's ``%v``: the shortest digits, with an exponent for large and for small numbers."""
    if value == 0:
        return "0"
    mantissa, _, exponent = format(Decimal(repr(value)).normalize(), "e").partition("e")
    if _LEAST_EXPONENT <= int(exponent) < _EXPONENT_FROM:
        return format(Decimal(repr(value)), "f").removesuffix(".0")
    return f"{mantissa}e{exponent[0]}{exponent[1:].zfill(2)}"
