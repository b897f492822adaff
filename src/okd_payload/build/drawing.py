# SPDX-License-Identifier: Apache-2.0
"""The plan's graph as a picture: SVG for reports, dot and mermaid for other tools.

Waves are columns, read from left to right. Edges that a longer way implies are left out, so
that the picture of 190 components stays readable; the data of the report has all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from okd_payload.build.graph import Graph, ancestors, waves

_COLUMN = 270
_ROW = 34
_BOX_WIDTH = 210
_BOX_HEIGHT = 24
_MARGIN = 12
_LONGEST_NAME = 27


def draw_svg(graph: Graph, classes: Mapping[str, str]) -> str:
    """``graph`` as one SVG element; ``classes`` gives each node its CSS class, such as built."""
    places = {
        node: (_MARGIN + column * _COLUMN, _MARGIN + row * _ROW)
        for column, wave in enumerate(waves(graph))
        for row, node in enumerate(wave)
    }
    width = max((x for x, _ in places.values()), default=0) + _BOX_WIDTH + _MARGIN
    height = max((y for _, y in places.values()), default=0) + _BOX_HEIGHT + _MARGIN
    edges = [
        _draw_edge(places[parent], places[node])
        for node in places
        for parent in direct_parents(graph, node)
    ]
    boxes = [_draw_box(node, places[node], classes.get(node, "")) for node in places]
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" class="graph" role="img" '
                f'aria-label="Plan graph" width="{width}" height="{height}" '
                f'viewBox="0 0 {width} {height}">'
            ),
            *edges,
            *boxes,
            "</svg>",
        ]
    )


def draw_dot(graph: Graph) -> str:
    """``graph`` in the language of Graphviz, an edge from each parent to its child."""
    lines = ["digraph plan {", "  rankdir=LR;", "  node [shape=box];"]
    lines += [f"  {_quote(node)};" for node in sorted(graph.parents)]
    lines += [
        f"  {_quote(parent)} -> {_quote(node)};"
        for node in sorted(graph.parents)
        for parent in sorted(set(graph.parents_of(node)))
    ]
    return "\n".join([*lines, "}"]) + "\n"


def draw_mermaid(graph: Graph) -> str:
    """``graph`` as a Mermaid flowchart, as Markdown renderers show it."""
    names = {node: f"n{number}" for number, node in enumerate(sorted(graph.parents))}
    lines = ["flowchart LR"]
    lines += [f'  {name}["{escape(node)}"]' for node, name in names.items()]
    lines += [
        f"  {names[parent]} --> {names[node]}"
        for node in names
        for parent in sorted(set(graph.parents_of(node)))
    ]
    return "\n".join(lines) + "\n"


def direct_parents(graph: Graph, node: str) -> tuple[str, ...]:
    """The parents of ``node`` that no other of its parents is built on, sorted."""
    parents = set(graph.parents_of(node))
    implied = frozenset[str]().union(*(ancestors(graph, [parent]) for parent in parents))
    return tuple(sorted(parents - implied))


def _draw_edge(start: tuple[int, int], end: tuple[int, int]) -> str:
    x1, y1 = start[0] + _BOX_WIDTH, start[1] + _BOX_HEIGHT // 2
    x2, y2 = end[0], end[1] + _BOX_HEIGHT // 2
    middle = (x1 + x2) // 2
    return f'<path class="edge" d="M{x1},{y1} C{middle},{y1} {middle},{y2} {x2},{y2}"/>'


def _draw_box(node: str, place: tuple[int, int], css_class: str) -> str:
    x, y = place
    shown = node if len(node) <= _LONGEST_NAME else node[: _LONGEST_NAME - 1] + "…"
    return (
        f'<g class="node {escape(css_class)}"><title>{escape(node)}</title>'
        f'<rect x="{x}" y="{y}" width="{_BOX_WIDTH}" height="{_BOX_HEIGHT}" rx="4"/>'
        f'<text x="{x + 8}" y="{y + 16}">{escape(shown)}</text></g>'
    )


def _quote(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
