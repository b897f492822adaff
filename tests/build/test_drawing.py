# SPDX-License-Identifier: Apache-2.0
"""The plan's graph as SVG, dot and mermaid."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from okd_payload.build.drawing import direct_parents, draw_dot, draw_mermaid, draw_svg
from okd_payload.build.graph import Graph

GRAPH = Graph({"base": (), "cli": ("base",), "tools": ("base", "cli"), "a<b>": ("base",)})


def test_the_picture_is_valid_and_shows_every_node():
    """The SVG parses, escapes names, and has one box a node with its class."""
    picture = ET.fromstring(draw_svg(GRAPH, {"cli": "built"}))
    namespace = "{http://www.w3.org/2000/svg}"
    titles = [title.text for title in picture.iter(f"{namespace}title")]
    assert sorted(filter(None, titles)) == ["a<b>", "base", "cli", "tools"]
    assert [g for g in picture.iter(f"{namespace}g") if g.get("class") == "node built"]


def test_implied_edges_are_not_drawn():
    """Tools stand on cli, which stands on base: the direct line to base is left out."""
    assert direct_parents(GRAPH, "tools") == ("cli",)
    assert draw_svg(GRAPH, {}).count('class="edge"') == 3


def test_dot_has_every_edge():
    """Graphviz gets the whole graph, implied edges included."""
    text = draw_dot(GRAPH)
    assert '"base" -> "tools";' in text
    assert text.count("->") == 4


def test_mermaid_names_nodes_by_number():
    """Names that Mermaid would misread stand in quoted, escaped labels."""
    text = draw_mermaid(GRAPH)
    assert '["a&lt;b&gt;"]' in text
    assert text.startswith("flowchart LR\n")
