# SPDX-License-Identifier: Apache-2.0
"""The plan of a build run as a picture: waves as columns, states by colour, sign and word.

A wave with many images is folded into several columns, so that 190 of them fit on a screen. Few
images have all their edges drawn. Among many, edges would be a grey mass: only those that explain
something now are left, which are the critical path, what a failure took with it and what the
images that are being built hold up; the titles of boxes, and the table below, say the rest.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec
from markupsafe import Markup

from okd_payload.build.drawing import direct_parents
from okd_payload.build.graph import Graph, waves
from okd_payload.build.records import Action
from okd_payload.web.pages.builds import BUILDING, CUT_OFF, WAITING, BuildRun, BuildStep
from okd_payload.web.pages.words import clean, tell_span

MOST_WITH_ALL_EDGES = 40
_ROWS = 24
"""Images of a wave that stand below each other."""
_BOX_WIDTH, _BOX_HEIGHT, _ROW = 224, 26, 36
_GAP, _FOLD_GAP = 56, 14
_MARGIN, _HEAD = 10, 30
_LONGEST_NAME, _LONGEST_ALONE = 22, 28
_SIGNS = {
    Action.BUILT.value: "✓",
    Action.REUSED.value: "↺",
    Action.IMPORTED.value: "↓",
    Action.STUB.value: "≡",
    Action.FAILED.value: "✕",
    Action.SKIPPED.value: "⊘",
    BUILDING: "◐",
    WAITING: "○",
    CUT_OFF: "✕",
}


_NO_STOP = Markup(' tabindex="-1"')
"""Nobody walks through 190 boxes by keyboard to the table below, which has the same links."""


class _Place(msgspec.Struct, frozen=True):
    x: int
    y: int


def sign_of(state: str) -> str:
    """The sign that stands for a state, beside its word."""
    return _SIGNS.get(state, "○")


def draw_plan(
    run: BuildRun, link_of: Callable[[BuildStep], str], *, critical: Sequence[str] = ()
) -> Markup:
    """The plan of ``run``, each box a link; nothing where nobody wrote down a plan.

    ``critical`` is the longest way through it.
    """
    if run.graph is None or not run.steps:
        return Markup()
    steps = {step.name: step for step in run.steps}
    ordered = _order(run.graph)
    places, columns = _place(ordered)
    told = ", ".join(f"{count} {state}" for state, count in run.counts.items())
    width = max(place.x for place in places.values()) + _BOX_WIDTH + _MARGIN
    height = max(place.y for place in places.values()) + _BOX_HEIGHT + _MARGIN
    parts = [
        *_heads(ordered, columns, steps),
        *_edges(run, places, critical),
        *(
            _box(
                steps[name],
                place,
                link=link_of(steps[name]),
                is_critical=name in critical,
                is_stop=len(places) <= MOST_WITH_ALL_EDGES,
            )
            for name, place in places.items()
            if name in steps
        ),
    ]
    return Markup(
        '<svg class="plan" role="group" width="{0}" height="{1}" viewBox="0 0 {0} {1}"'
        ' aria-label="Plan in {2} waves: {3}">{4}</svg>'
    ).format(width, height, len(ordered), told, Markup("").join(parts))


def _order(graph: Graph) -> list[list[str]]:
    """The images of each wave, those with parents high up before others: edges cross less."""
    rows: dict[str, float] = {}
    ordered = []
    for wave in waves(graph):
        heights = {
            node: [rows[parent] for parent in graph.parents_of(node) if parent in rows]
            for node in wave
        }
        nodes = sorted(
            wave, key=lambda node: (sum(heights[node]) / max(1, len(heights[node])), node)
        )
        rows |= {node: float(row) for row, node in enumerate(nodes)}
        ordered.append(nodes)
    return ordered


def _place(ordered: Sequence[Sequence[str]]) -> tuple[dict[str, _Place], list[int]]:
    """Where each image is drawn, and where each wave begins."""
    places, columns, x = {}, [], _MARGIN
    for wave in ordered:
        columns.append(x)
        folds = -(-len(wave) // _ROWS)
        rows = -(-len(wave) // folds)
        for number, node in enumerate(wave):
            fold, row = divmod(number, rows)
            left = x + fold * (_BOX_WIDTH + _FOLD_GAP)
            places[node] = _Place(left, _MARGIN + _HEAD + row * _ROW)
        x += folds * (_BOX_WIDTH + _FOLD_GAP) - _FOLD_GAP + _GAP
    return places, columns


def _heads(
    ordered: Sequence[Sequence[str]], columns: Sequence[int], steps: Mapping[str, BuildStep]
) -> Iterator[Markup]:
    for number, (wave, x) in enumerate(zip(ordered, columns, strict=True), 1):
        ended = sum(not steps[node].is_open for node in wave if node in steps)
        yield Markup('<text class="head" x="{}" y="{}">Wave {}: {} of {} ended</text>').format(
            x, _MARGIN + 14, number, ended, len(wave)
        )


def _edges(run: BuildRun, places: Mapping[str, _Place], critical: Sequence[str]) -> list[Markup]:
    """The edges that are drawn, those that matter above the others."""
    if run.graph is None:
        return []
    states = {step.name: step.state for step in run.steps}
    on_path = set(itertools.pairwise(critical))
    has_few = len(places) <= MOST_WITH_ALL_EDGES
    drawn: dict[str, list[Markup]] = {"": [], "held": [], "broken": [], "critical": []}
    for node, end in places.items():
        direct = set(direct_parents(run.graph, node)) if has_few else set()
        for parent in run.graph.parents_of(node):
            kind = _kind_of_edge(states.get(parent, ""), states.get(node, ""))
            if (parent, node) in on_path:
                kind = "critical"
            if kind or parent in direct:
                drawn[kind].append(_edge(places[parent], end, kind))
    return [edge for group in drawn.values() for edge in group]


def _kind_of_edge(parent: str, child: str) -> str:
    if parent in (Action.FAILED.value, CUT_OFF) and child == Action.SKIPPED.value:
        return "broken"
    return "held" if parent == BUILDING and child == WAITING else ""


def _edge(start: _Place, end: _Place, kind: str) -> Markup:
    x1, y1 = start.x + _BOX_WIDTH, start.y + _BOX_HEIGHT // 2
    x2, y2 = end.x, end.y + _BOX_HEIGHT // 2
    if x2 - x1 > _GAP:  # there are boxes between the two: round them, above
        aside = _FOLD_GAP // 2
        return Markup('<path class="edge {}" d="M{} {}h{}V{}H{}V{}H{}"/>').format(
            kind, x1, y1, aside, _MARGIN + _HEAD - 6, x2 - aside, y2, x2
        )
    middle = (x1 + x2) // 2
    return Markup('<path class="edge {}" d="M{} {}C{} {} {} {} {} {}"/>').format(
        kind, x1, y1, middle, y1, middle, y2, x2, y2
    )


def _box(step: BuildStep, place: _Place, *, link: str, is_critical: bool, is_stop: bool) -> Markup:
    name = clean(step.name, 300)
    classes = f"node {step.state.replace(' ', '-')}{' on-path' if is_critical else ''}"
    return Markup(
        '<a href="{}"{}><title>{}</title><g class="{}">'
        '<rect x="{}" y="{}" width="{}" height="{}" rx="4"/>'
        '<text x="{}" y="{}">{} {}</text><text class="time" x="{}" y="{}">{}</text></g></a>'
    ).format(
        link,
        Markup("") if is_stop else _NO_STOP,
        _title(step, name, is_critical=is_critical),
        classes,
        place.x,
        place.y,
        _BOX_WIDTH,
        _BOX_HEIGHT,
        place.x + 8,
        place.y + 17,
        sign_of(step.state),
        _shorten(name, _LONGEST_NAME if _time(step) else _LONGEST_ALONE),
        place.x + _BOX_WIDTH - 6,
        place.y + 17,
        _time(step),
    )


def _shorten(name: str, longest: int) -> str:
    """``name`` with both of its ends, which tell names of one family apart."""
    if len(name) <= longest:
        return name
    head = (longest - 1) // 2
    return f"{name[:head]}…{name[head + 1 - longest :]}"


def _title(step: BuildStep, name: str, *, is_critical: bool) -> str:
    words = [f"{name}: {step.state}"]
    words += [time] if (time := _time(step)) else []
    words += ["on the critical path"] if is_critical else []
    words += [f"waits for {', '.join(step.waits_for[:8])}"] if step.waits_for else []
    words += [clean(step.record.reason, 200)] if step.record and step.record.reason else []
    return "; ".join(words)


def _time(step: BuildStep) -> str:
    """How long it took, roughly; nothing where that is no news."""
    seconds = step.record.seconds if step.record is not None else 0.0
    return tell_span(seconds) if seconds >= 1 else ""
