# SPDX-License-Identifier: Apache-2.0
"""Running a graph: order, parallelism, failure and cancellation."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from okd_payload.build.graph import Graph, descendants, path_lengths
from okd_payload.build.scheduler import End, run_graph
from okd_payload.errors import BuildError

DIAMOND = Graph({"base": (), "left": ("base",), "right": ("base",), "top": ("left", "right")})


class Recorder:
    """Work that records what ran when, and fails where it is told to."""

    def __init__(self, failing: frozenset[str] = frozenset()) -> None:
        self.failing = failing
        self.started: list[str] = []
        self.ended: list[str] = []
        self.most_at_once = 0

    async def __call__(self, node: str) -> str:
        self.started.append(node)
        self.most_at_once = max(self.most_at_once, len(self.started) - len(self.ended))
        await asyncio.sleep(0)
        self.ended.append(node)
        if node in self.failing:
            raise BuildError(f"{node} failed")
        return node.upper()


@st.composite
def runs(draw: st.DrawFn) -> tuple[Graph, frozenset[str], int]:
    """A graph, the nodes that fail, and a number of places."""
    names = [f"n{number}" for number in range(draw(st.integers(1, 14)))]
    parents = {
        name: tuple(draw(st.lists(st.sampled_from(names[:place]), unique=True, max_size=3)))
        if place
        else ()
        for place, name in enumerate(names)
    }
    failing = draw(st.frozensets(st.sampled_from(names), max_size=3))
    return Graph(parents), failing, draw(st.integers(1, 4))


@settings(deadline=None)
@given(runs())
def test_every_node_ends_as_its_parents_allow(run: tuple[Graph, frozenset[str], int]):
    """Exactly the nodes below a failure are skipped; all others run once, parents first."""
    graph, failing, jobs = run
    work = Recorder(failing)
    endings = asyncio.run(run_graph(graph, work, jobs=jobs, priorities={}))
    assert set(endings) == set(graph.parents)
    assert len(work.started) == len(set(work.started))
    assert work.most_at_once <= jobs
    ran = set(work.started)
    doomed = {
        node
        for node in graph.parents
        if any(node in descendants(graph, [bad]) for bad in failing & ran)
    }
    for node, ending in endings.items():
        if node in doomed:
            assert ending.end is End.SKIPPED
            assert ending.because_of in failing
        elif node in failing:
            assert ending.end is End.FAILED
        else:
            assert ending.end is End.SUCCEEDED
            assert ending.result == node.upper()
            assert all(
                work.ended.index(parent) < work.started.index(node)
                for parent in graph.parents_of(node)
            )


async def test_the_longest_way_starts_first():
    """Of the ready nodes the one with the most work ahead runs first."""
    graph = Graph({"a": (), "b": (), "c": ("b",), "d": ("c",)})
    work = Recorder()
    await run_graph(graph, work, jobs=1, priorities=path_lengths(graph, {}))
    assert work.started == ["b", "c", "a", "d"]


async def test_fail_fast_starts_nothing_more():
    """After the first failure the rest is skipped."""
    graph = Graph({"a": (), "b": (), "c": ()})
    work = Recorder(frozenset({"a"}))
    endings = await run_graph(graph, work, jobs=1, priorities={}, is_fatal=lambda _: True)
    assert [ending.end for ending in endings.values()] == [End.FAILED, End.SKIPPED, End.SKIPPED]
    assert work.started == ["a"]


async def test_cancelling_ends_running_work_before_returning():
    """When the caller is cancelled, no work is left running."""
    cleaned = []

    async def work(node: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append(node)

    task = asyncio.create_task(run_graph(DIAMOND, work, jobs=2, priorities={}))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cleaned == ["base"]


async def test_a_fault_of_the_program_is_not_swallowed():
    """An exception outside the error tree ends the run."""

    async def work(node: str) -> None:
        raise ZeroDivisionError(node)

    with pytest.raises(ZeroDivisionError):
        await run_graph(DIAMOND, work, jobs=2, priorities={})


async def test_what_ends_in_spite_of_a_fatal_failure_counts():
    """Work that was told to stop and was through already has succeeded."""
    graph = Graph({"bad": (), "good": (), "never": ("good",)})
    started = asyncio.Event()

    async def work(node: str) -> str:
        if node == "bad":
            await started.wait()
            raise BuildError("bad failed")
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return node
        return ""

    endings = await run_graph(graph, work, jobs=2, priorities={}, is_fatal=lambda _: True)
    assert {node: ending.end for node, ending in endings.items()} == {
        "bad": End.FAILED,
        "good": End.SUCCEEDED,
        "never": End.SKIPPED,
    }
