# SPDX-License-Identifier: Apache-2.0
"""How a stream fared lately, as two small pictures: how much passes, and how long that takes.

They are SVG elements of the page, styled by its style, and each says its figures in words for
those who do not see it. Marks, of which there are hundreds, are put together as text: ``format``
of ``Markup`` takes ten times as long.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import msgspec
from markupsafe import Markup, escape

from okd_payload.controller.model import Phase
from okd_payload.controller.views.stream import Decided
from okd_payload.web.pages.words import tell_duration, tell_moment

WIDTH, HEIGHT = 560, 120
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 8, 8, 20
_WINDOW = 10
"""Releases over which the share of accepted ones is taken."""
_DAY, _TIME = slice(10), slice(11, 16)
"""Where both stand in a moment that is told."""


class Plot(msgspec.Struct, frozen=True, kw_only=True):
    """A picture and what it says."""

    title: str
    summary: str
    svg: Markup


def plot_pass_rate(decided: Sequence[Decided]) -> Plot | None:
    """The share of accepted releases among each and the nine before it; None of too few."""
    if len(decided) < 2:
        return None
    passed = [each.phase is Phase.ACCEPTED for each in decided]
    shares = [
        sum(passed[max(0, end - _WINDOW) : end]) / len(passed[max(0, end - _WINDOW) : end])
        for end in range(1, len(passed) + 1)
    ]
    places = _Places(decided, highest=1.0)
    line = " ".join(
        f"{places.x(each)},{places.y(share)}" for each, share in zip(decided, shares, strict=True)
    )
    marks = "".join(
        f'<path class="{"mark-good" if good else "mark-bad"}"'
        f' d="{_tick(places.x(each)) if good else _cross(places.x(each))}">'
        f"<title>{escape(each.name)}: {each.phase.value}</title></path>"
        for each, good in zip(decided, passed, strict=True)
    )
    summary = f"{sum(passed)} of the last {len(passed)} decided releases were accepted"
    if len(passed) > _WINDOW:
        summary += f", {sum(passed[-_WINDOW:])} of the last {_WINDOW}"
    inner = Markup("").join(
        [
            _axis(places, [(0.0, "0 %"), (0.5, "50 %"), (1.0, "100 %")]),
            Markup('<polyline class="line" points="{}"/>').format(line),
            Markup(marks),  # noqa: S704 - names are escaped, all else is ours
        ]
    )
    return Plot(title="Pass rate", summary=summary, svg=_frame(summary, inner, places))


def plot_time_to_accept(decided: Sequence[Decided]) -> Plot | None:
    """How long each accepted release took from its creation; None of too few."""
    accepted = [each for each in decided if each.phase is Phase.ACCEPTED]
    if len(accepted) < 2:
        return None
    times = [max(0.0, each.changed - each.created) for each in accepted]
    highest = max(*times, 1.0)
    places = _Places(accepted, highest=highest)
    dots = "".join(
        f'<circle class="dot" cx="{places.x(each)}" cy="{places.y(seconds)}" r="2.5">'
        f"<title>{escape(each.name)}: {tell_duration(seconds)}</title></circle>"
        for each, seconds in zip(accepted, times, strict=True)
    )
    middle = median(times)
    summary = (
        f"median {tell_duration(middle)}, longest {tell_duration(max(times))},"
        f" last {tell_duration(times[-1])}"
    )
    middle_line = Markup('<path class="line middle" d="M{} {}H{}"/>').format(
        _LEFT, places.y(middle), WIDTH - _RIGHT
    )
    scale = [(0.0, "0"), (highest, _rough(highest))]
    drawn = Markup(dots)  # noqa: S704 - names are escaped, all else is ours
    inner = Markup("").join([_axis(places, scale), middle_line, drawn])
    return Plot(title="Time to accept", summary=summary, svg=_frame(summary, inner, places))


class _Places:
    """Where moments and values are in the picture."""

    def __init__(self, shown: Sequence[Decided], *, highest: float) -> None:
        self.first, self.last = shown[0].created, shown[-1].created
        self._span = max(1.0, self.last - self.first)
        self._highest = highest

    def x(self, each: Decided) -> float:
        share = (each.created - self.first) / self._span
        return round(_LEFT + 3 + share * (WIDTH - _LEFT - _RIGHT - 6), 1)

    def y(self, value: float) -> float:
        return round(HEIGHT - _BOTTOM - value / self._highest * (HEIGHT - _TOP - _BOTTOM), 1)


def _frame(summary: str, inner: Markup, places: _Places) -> Markup:
    first, last = tell_moment(places.first), tell_moment(places.last)
    shown = _TIME if first[_DAY] == last[_DAY] else _DAY
    dates = Markup(
        '<text class="scale" x="{}" y="{}">{}</text><text class="scale end" x="{}" y="{}">{}</text>'
    ).format(
        _LEFT,
        HEIGHT - 5,
        first[shown],
        WIDTH - _RIGHT,
        HEIGHT - 5,
        last[shown],
    )
    return Markup(
        '<svg class="plot" role="img" viewBox="0 0 {} {}" aria-label="{}">{}{}</svg>'
    ).format(WIDTH, HEIGHT, summary, inner, dates)


def _axis(places: _Places, scale: Sequence[tuple[float, str]]) -> Markup:
    made = []
    for value, text in scale:
        y = places.y(value)
        made.append(
            Markup(
                '<path class="axis" d="M{} {}H{}"/><text class="scale end" x="{}" y="{}">{}</text>'
            ).format(_LEFT, y, WIDTH - _RIGHT, _LEFT - 6, y + 3.5, text)
        )
    return Markup("").join(made)


def _tick(x: float) -> str:
    return f"M{x} {HEIGHT - _BOTTOM}v-7"


def _cross(x: float) -> str:
    y = HEIGHT - _BOTTOM - 4
    return f"M{x - 2.5} {y - 2.5}l5 5m0 -5l-5 5"


def _rough(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
