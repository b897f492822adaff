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

_ROW, _BOX, _HEIGHT, _GAP, _MARGIN = 34, 330, 24, 90, 8
_LONGEST = 46
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
    columns = [column for column in (into[:_MOST], out_of[:_MOST]) if column]
    rows = max((len(column) for column in columns), default=1)
    height = _MARGIN * 2 + rows * _ROW - (_ROW - _HEIGHT)
    middle = _MARGIN + (_BOX + _GAP if into else 0)
    width = middle + _BOX + (_GAP + _BOX if out_of else 0) + _MARGIN
    centre = height / 2
    parts = [_box(name, middle, centre - _HEIGHT / 2, css="here", link="")]
    for update, y in zip(into[:_MOST], _spread(len(into[:_MOST]), height), strict=True):
        parts.append(_edge((_MARGIN + _BOX, y), (middle, centre), update))
        parts.append(_linked(update, _MARGIN, y))
    for update, y in zip(out_of[:_MOST], _spread(len(out_of[:_MOST]), height), strict=True):
        parts.append(_edge((middle + _BOX, centre), (middle + _BOX + _GAP, y), update))
        parts.append(_linked(update, middle + _BOX + _GAP, y))
    told = f"{len(into)} tested updates to {name}, {len(out_of)} from it; the table has them all"
    return Markup(
        '<svg class="updates" role="img" width="{0}" height="{1}" viewBox="0 0 {0} {1}"'
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


def _linked(update: Update, x: float, y: float) -> Markup:
    outcome = update.outcome.value
    told = f"{update.other}: {outcome}, {update.succeeded} of {len(update.runs)} runs succeeded"
    return _box(
        update.other,
        x,
        y - _HEIGHT / 2,
        css=outcome,
        link=f"/releasetag/{path_part(update.other)}",
        title=told,
    )


_GLYPHS = {"passed": "✓", "failed": "✕", "pending": "◌"}


def _box(name: str, x: float, y: float, *, css: str, link: str, title: str = "") -> Markup:
    shown = name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"
    glyph = _GLYPHS.get(css, "")
    drawn = Markup(
        '<g class="node {}"><title>{}</title>'
        '<rect x="{}" y="{}" width="{}" height="{}" rx="3"/>'
        '<text x="{}" y="{}">{}</text></g>'
    ).format(css, title or name, x, y, _BOX, _HEIGHT, x + 8, y + 16, f"{glyph} {shown}".strip())
    return Markup('<a href="{}">{}</a>').format(link, drawn) if link else drawn
