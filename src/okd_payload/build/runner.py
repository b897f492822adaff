# SPDX-License-Identifier: Apache-2.0
"""Carrying out a plan: every node as early as its parents allow, every end remembered."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from okd_payload.build.graph import path_lengths
from okd_payload.build.images import MadeImage
from okd_payload.build.maker import Maker
from okd_payload.build.plan import ComponentNode, Node, Plan
from okd_payload.build.records import Action, ComponentRecord, RunFolder
from okd_payload.build.scheduler import End, Ending, run_graph
from okd_payload.clock import Clock
from okd_payload.errors import OkdPayloadError
from okd_payload.progress import Failed, Finished, Progress


class Runner:
    """Carries out one plan, once."""

    def __init__(
        self, plan: Plan, *, maker: Maker, folder: RunFolder, clock: Clock, progress: Progress
    ) -> None:
        self._nodes = plan.nodes
        self._graph = plan.graph
        self._maker = maker
        self._folder = folder
        self._clock = clock
        self._progress = progress
        self._images: dict[str, MadeImage] = {}

    async def run(
        self, *, jobs: int, durations: Mapping[str, float], fail_fast: bool = False
    ) -> dict[str, MadeImage]:
        """Make every node, ``jobs`` at a time; return the images of those that succeeded.

        Failures do not raise: how each node ended stands in the run folder.
        """
        endings = await run_graph(
            self._graph,
            self._make,
            jobs=jobs,
            priorities=path_lengths(self._graph, durations),
            fail_fast=fail_fast,
        )
        for ending in endings.values():
            if ending.end is End.SKIPPED:
                self._skip(ending)
        return dict(self._images)

    async def _make(self, name: str) -> None:
        node = self._nodes[name]
        parents = {parent: self._images[parent] for parent in self._graph.parents[name]}
        log = self._folder.log_of(component_name(node))
        moment, started = self._clock.now(), self._clock.monotonic()
        try:
            made = await self._maker.make(node, parents, log=log)
        except OkdPayloadError as error:
            seconds = self._clock.monotonic() - started
            failure = ComponentRecord(
                name=component_name(node),
                tag=name,
                action=Action.FAILED,
                reason=error.message,
                started=moment,
                seconds=round(seconds, 3),
                log=self._relative(log),
            )
            self._folder.add(failure)
            self._progress(Failed(subject=name, reason=error.message, seconds=seconds))
            raise
        seconds = self._clock.monotonic() - started
        self._images[name] = made.image
        self._folder.add(
            msgspec.structs.replace(
                made.record, started=moment, seconds=round(seconds, 3), log=self._relative(log)
            )
        )
        self._progress(
            Finished(
                subject=name,
                outcome=made.record.action.value,
                detail=made.record.reason,
                seconds=seconds,
            )
        )

    def _skip(self, ending: Ending[None]) -> None:
        node = self._nodes[ending.node]
        reason = f"{ending.because_of} failed" if ending.because_of else "the run stopped before"
        self._folder.add(
            ComponentRecord(
                name=component_name(node), tag=ending.node, action=Action.SKIPPED, reason=reason
            )
        )
        self._progress(Finished(subject=ending.node, outcome="skipped", detail=reason))

    def _relative(self, log: Path) -> str:
        return str(log.relative_to(self._folder.path)) if log.exists() else ""


def component_name(node: Node) -> str:
    """The name people know ``node`` by: the component's own, which may differ from its tag."""
    return node.component.name if isinstance(node, ComponentNode) else node.name
