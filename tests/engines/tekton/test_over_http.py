# SPDX-License-Identifier: Apache-2.0
"""Whole streams over HTTP: what the network and an overloaded server do, and what it costs."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from far_cluster import FarCluster, QuickClock
from pretend_tekton import Script
from shipyard import Shipyard
from weather import COUNT, JOBS, Weather, check, many
from workshop import actions

from okd_payload.build.engine import BuildStep, TellRetry
from okd_payload.build.job import JobOptions
from okd_payload.cluster.lightkube_cluster import open_cluster
from okd_payload.engines.pod.building import key_of_step
from okd_payload.oci.digest import Digest
from okd_payload.testing.yardstick import Cost, attempt_below

pytestmark = pytest.mark.integration

MOST_CPU = 0.005
"""Seconds of processor time that a component may cost, above what it costs with any engine."""


class QuickWeather(Weather):
    """The same, five thousand times as fast."""

    def __call__(self, document: dict[str, Any]) -> Script:
        script = super().__call__(document)
        return Script(
            waits=script.waits / 5000,
            seconds=min(script.seconds, 1000) / 5000,
            lines=script.lines,
            end=script.end,
            message=script.message,
        )


async def _build(yard: Shipyard, kubeconfig: Path) -> Any:
    """The outcome of a build on the cluster behind ``kubeconfig``."""
    frozen = await yard.freeze(yard.catalog(many(COUNT, 1)))
    async with open_cluster(kubeconfig, namespace="builds", clock=QuickClock()) as cluster:
        return await yard.build(frozen, cluster=cluster)


@pytest.mark.slow
def test_bad_weather_on_the_network(tmp_path: Path):
    """429 and 5xx, cut watches and logs, lost answers, a history that is forgotten: all is built.

    Once each, with every line of every log, and nothing is left.
    """
    yard = Shipyard(tmp_path)
    yard.change(jobs=JOBS)
    yard.tekton.script = QuickWeather(3, loses_pods=False)
    with FarCluster(yard) as far:
        far.server.faults.scatter(seed=3, chance=0.1, most=2000)
        outcome = asyncio.run(_build(yard, far.kubeconfig))
    assert [it.reason for it in outcome.record.components if it.action.value == "failed"] == []
    assert set(actions(outcome).values()) == {"built"}
    assert len(far.server.faults.happened) > 100
    check(yard, yard.kept_lines)


async def _build_ahead(yard: Shipyard) -> dict[str, str]:
    """The digests of all images by their keys, which are forgotten again."""
    outcome = await yard.workshop.run(yard.catalog(many(COUNT, 1)))
    built = {item.key: str(item.digest) for item in outcome.record.components}
    yard.workshop.content.manifests.tagged.clear()
    return built


@contextlib.contextmanager
def _served(folder: Path, digests: dict[str, str]) -> Iterator[Path]:
    """A cluster in a process of its own, whose pods have these images at once."""
    folder.mkdir(parents=True)
    (folder / "digests").write_bytes(msgspec.json.encode(digests))
    command = [sys.executable, Path(__file__).with_name("far_cluster.py"), folder]
    process = subprocess.Popen(
        [*command, folder / "digests"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n"
        yield folder / "kubeconfig"
    finally:
        process.stdin.close()
        process.stdout.close()
        assert process.wait(60) == 0


class _Finished:
    """An engine that has every image already: what is left is what any build costs."""

    format_version = "scripted-1"
    built: list[BuildStep] = []  # noqa: RUF012 - nothing is ever in it

    def __init__(self, digests: dict[str, str]) -> None:
        self._digests = digests

    async def build(self, step: BuildStep, *, log: Path, retried: TellRetry) -> Digest:
        return Digest(self._digests[key_of_step(step)])


async def _measure(yard: Shipyard, digests: dict[str, str], kubeconfig: Path, cost: Cost) -> Any:
    """The outcome on the cluster; ``cost`` counts what the cluster cost."""
    catalog = yard.catalog(many(COUNT, 1))
    frozen = await yard.freeze(catalog)
    async with open_cluster(kubeconfig, namespace="builds", clock=QuickClock()) as cluster:
        with cost:
            outcome = await yard.build(frozen, cluster=cluster)
    yard.workshop.content.manifests.tagged.clear()
    yard.workshop.engine = _Finished(digests)
    options = JobOptions(jobs=JOBS)
    with cost.deducting():
        await yard.workshop.carry_out(frozen, yard.workshop.maker(catalog), options=options)
    return outcome


def test_what_a_component_costs(tmp_path: Path):
    """Making, following and clearing away a TaskRun costs few milliseconds of processor time."""
    for attempt, cost in enumerate(attempt_below(COUNT * MOST_CPU)):
        yard = Shipyard(tmp_path / f"here-{attempt}")
        yard.change(jobs=JOBS)
        digests = asyncio.run(_build_ahead(yard))
        with _served(tmp_path / f"there-{attempt}", digests) as kubeconfig:
            outcome = asyncio.run(_measure(yard, digests, kubeconfig, cost))
        assert set(actions(outcome).values()) == {"built"}
