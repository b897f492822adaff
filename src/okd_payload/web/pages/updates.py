# SPDX-License-Identifier: Apache-2.0
"""The tested updates of a release: what runs say together, as a table and as a picture.

One run that succeeded suffices for an update, as in the update graph; the figures say the rest.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence

import msgspec
from markupsafe import Markup

from okd_payload.controller.model import Edge, RunState
from okd_payload.web.pages.words import path_part

_ROW, _HEIGHT, _GAP, _MARGIN = 34, 24, 64, 8
_LONGEST = 46
_SIGN = 7.0
"""The width of a character, and"""
_AROUND = 40
"""of what is around a name in its box."""
_MOST = 25
"""Updates on one side of the picture; the table has all."""


class Outcome(enum.Enum):
    """What the runs of one update say together."""

    PASSED = "passed"
    FAILED = "failed"
    PENDING = "pending"


class Update(msgspec.Struct, frozen=True, kw_only=True):
    """One update that was tested, by one or several runs."""

    other: str
    """The release at its other end."""
    runs: tuple[Edge, ...]

    @property
    def outcome(self) -> Outcome:
        """What its runs say together."""
        states = {run.state for run in self.runs}
        if RunState.SUCCEEDED in states:
            return Outcome.PASSED
        if any(not state.is_final for state in states):
            return Outcome.PENDING
        return Outcome.FAILED

    @property
    def succeeded(self) -> int:
        """How many runs succeeded."""
        return sum(run.state is RunState.SUCCEEDED for run in self.runs)


def updates_into(edges: Iterable[Edge]) -> tuple[Update, ...]:
    """The updates that end at a release, by where they start; the newest origin first."""
    return _group((edge.source, edge) for edge in edges)


def updates_out_of(edges: Iterable[Edge]) -> tuple[Update, ...]:
    """The updates that start at a release, by where they end."""
    return _group((edge.target, edge) for edge in edges)


def _group(pairs: Iterable[tuple[str, Edge]]) -> tuple[Update, ...]:
    groups: dict[str, list[Edge]] = {}
    for other, edge in pairs:
        groups.setdefault(other, []).append(edge)
    return tuple(
        Update(other=other, runs=tuple(groups[other])) for other in sorted(groups, reverse=True)
    )


def draw_updates(name: str, into: Sequence[Update], out_of: Sequence[Update]) -> Markup:
    """The release in the middle, origins on its left, successors on its right."""
    into, out_of, counts = into[:_MOST], out_of[:_MOST], (len(into), len(out_of))
    rows = max(len(into), len(out_of), 1)
    height = _MARGIN * 2 + rows * _ROW - (_ROW - _HEIGHT)
    names = [_shorten(each) for each in (name, *(one.other for one in (*into, *out_of)))]
    box = round(max(map(len, names)) * _SIGN + _AROUND)
    middle = _MARGIN + (box + _GAP if into else 0)
    width = middle + box + (_GAP + box if out_of else 0) + _MARGIN
    centre = height / 2
    parts = [_box(name, middle, centre, width=box, css="here")]
    for update, y in zip(into, _spread(len(into), height), strict=True):
        parts.append(_edge((_MARGIN + box, y), (middle, centre), update))
        parts.append(_linked(update, _MARGIN, y, width=box))
    for update, y in zip(out_of, _spread(len(out_of), height), strict=True):
        parts.append(_edge((middle + box, centre), (middle + box + _GAP, y), update))
        parts.append(_linked(update, middle + box + _GAP, y, width=box))
    told = f"Tested updates: {counts[0]} to {name}, {counts[1]} from it; the table has them all"
    return Markup(
        '<svg class="updates" role="group" width="{0}" height="{1}" viewBox="0 0 {0} {1}"'
        ' aria-label="{2}">{3}</svg>'
    ).format(width, round(height), told, Markup("").join(parts))


def _spread(count: int, height: float) -> list[float]:
    """The middles of ``count`` boxes, around the middle of the picture."""
    start = height / 2 - (count - 1) * _ROW / 2
    return [start + number * _ROW for number in range(count)]


def _edge(start: tuple[float, float], end: tuple[float, float], update: Update) -> Markup:
    (x1, y1), (x2, y2) = start, end
    middle = (x1 + x2) / 2
    return Markup('<path class="edge {}" d="M{} {}C{} {} {} {} {} {}"/>').format(
        update.outcome.value, x1, y1, middle, y1, middle, y2, x2, y2
    )


def _linked(update: Update, x: float, y: float, *, width: float) -> Markup:
    outcome = update.outcome.value
    told = f"{update.other}: {outcome}, {update.succeeded} of {len(update.runs)} runs succeeded"
    drawn = _box(update.other, x, y, width=width, css=outcome)
    return Markup('<a href="{}"><title>{}</title>{}</a>').format(
        f"/releasetag/{path_part(update.other)}", told, drawn
    )


_GLYPHS = {"passed": "✓", "failed": "✕", "pending": "◌"}


def _box(name: str, x: float, y: float, *, width: float, css: str) -> Markup:
    """A box whose left side has its middle at the point."""
    text = f"{_GLYPHS.get(css, '')} {_shorten(name)}".strip()
    return Markup(
        '<g class="node {}">'
        '<rect x="{}" y="{}" width="{}" height="{}" rx="3"/>'
        '<text x="{}" y="{}">{}</text></g>'
    ).format(css, x, y - _HEIGHT / 2, width, _HEIGHT, x + 8, y + 4, text)


def _shorten(name: str) -> str:
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"
