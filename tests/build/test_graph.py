# SPDX-License-Identifier: Apache-2.0
"""The dependency graph as pure data."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from okd_payload.build.graph import (
    Graph,
    ancestors,
    critical_path,
    descendants,
    find_cycle,
    path_lengths,
    waves,
)

DIAMOND = Graph({"base": (), "left": ("base",), "right": ("base",), "top": ("left", "right")})


@st.composite
def acyclic_graphs(draw: st.DrawFn) -> Graph:
    """Graphs whose nodes only have parents drawn before them."""
    names = [f"n{number}" for number in range(draw(st.integers(0, 12)))]
    return Graph(
        {
            name: tuple(draw(st.lists(st.sampled_from(names[:place]), unique=True)))
            if place
            else ()
            for place, name in enumerate(names)
        }
    )


def test_waves_hold_each_node_after_its_parents():
    """A node stands in the first wave after all its parents."""
    assert waves(DIAMOND) == (("base",), ("left", "right"), ("top",))


@given(acyclic_graphs())
def test_waves_order_every_acyclic_graph(graph: Graph):
    """Every node appears exactly once, and only after each of its parents."""
    level = {node: number for number, wave in enumerate(waves(graph)) for node in wave}
    assert set(level) == set(graph.parents)
    for node, number in level.items():
        expected = max((level[parent] + 1 for parent in graph.parents_of(node)), default=0)
        assert number == expected


@given(acyclic_graphs())
def test_acyclic_graphs_have_no_cycle(graph: Graph):
    """No cycle is claimed where there is none."""
    assert find_cycle(graph) == ()


@given(acyclic_graphs(), st.data())
def test_a_cycle_is_found_and_real(graph: Graph, data: st.DataObject):
    """After one edge back to a descendant, the cycle found consists of real edges."""
    names = sorted(graph.parents)
    if not names:
        return
    child = data.draw(st.sampled_from(names))
    below = sorted(descendants(graph, [child]) | {child})
    back = data.draw(st.sampled_from(below))
    looped = Graph({**graph.parents, child: (*graph.parents[child], back)})
    cycle = find_cycle(looped)
    assert cycle
    assert cycle[0] == cycle[-1]
    for node, parent in itertools.pairwise(cycle):
        assert parent in looped.parents_of(node)


def test_nodes_behind_a_cycle_do_not_hide_it():
    """The cycle is named, not the innocent node that waits for it."""
    graph = Graph({"a": ("z",), "y": ("z",), "z": ("y",)})
    assert find_cycle(graph) == ("y", "z", "y")


def test_critical_path_follows_the_weights():
    """The heaviest way is chosen, not the longest in nodes."""
    graph = Graph({"base": (), "slow": ("base",), "quick": ("base",), "end": ("quick",)})
    assert critical_path(graph, {"slow": 100.0}) == ("base", "slow")
    assert critical_path(graph, {}) == ("base", "quick", "end")


def test_priority_counts_everything_ahead():
    """The base of everything has the highest priority."""
    assert path_lengths(DIAMOND, {"left": 5.0}) == {
        "base": 7.0,
        "left": 6.0,
        "right": 2.0,
        "top": 1.0,
    }


def test_relatives_leave_out_the_nodes_asked_about():
    """Descendants and ancestors are closed and exclude where they start."""
    assert descendants(DIAMOND, ["left"]) == {"top"}
    assert descendants(DIAMOND, ["base"]) == {"left", "right", "top"}
    assert ancestors(DIAMOND, ["top"]) == {"left", "right", "base"}


def test_parents_outside_the_graph_do_not_count():
    """An imported parent is available from the start."""
    graph = Graph({"app": ("imported",)})
    assert waves(graph) == (("app",),)
    assert DIAMOND.without(["base"]).parents_of("left") == ()
