# SPDX-License-Identifier: Apache-2.0
"""Ending a run, and clearing away what is over.

Who is asked to end may make one more child before it hears of it, so it is looked again until
nothing runs. Cancelled TaskRuns stay, and say so; clearing away is asked for separately.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import msgspec

from okd_payload.clock import Clock
from okd_payload.cluster import Cluster, kinds
from okd_payload.engines.tekton.runs.overview import KnownRun, find_run
from okd_payload.engines.tekton.task_run import CANCEL, CANCEL_MESSAGE, TaskRun, decode_task_run
from okd_payload.errors import (
    ClusterError,
    ClusterUnavailable,
    InputError,
    NoSuchObject,
    UnknownName,
)

_LOOKS = 60
_PAUSE = 1.0
_AT_ONCE = 8
_PATCH = msgspec.json.encode({"spec": {"status": CANCEL, "statusMessage": CANCEL_MESSAGE}})


async def cancel_run(cluster: Cluster, run: str, *, clock: Clock, namespace: str = "") -> int:
    """End everything of ``run``; how many TaskRuns were running.

    Raises UnknownName, and ClusterUnavailable when something goes on nevertheless.
    """
    cancelled: set[str] = set()
    for _ in range(_LOOKS):
        try:
            known = await find_run(cluster, run, namespace=namespace)
        except UnknownName:
            if not cancelled:
                raise
            return len(cancelled)  # whoever drove it has cleared it away
        going_on = [it for it in known.task_runs if not it.is_over]
        if not going_on:
            return len(cancelled)
        await _cancel_all(cluster, (it for it in going_on if not it.spec.status), namespace)
        cancelled |= {it.name for it in going_on}
        await clock.wait(_PAUSE)
    raise ClusterUnavailable(
        f"run {run} was cancelled, and something of it still runs",
        hint="look whether Tekton's controller works: `okd-payload doctor --cluster`",
    )


async def prune_runs(cluster: Cluster, runs: Iterable[KnownRun], *, namespace: str = "") -> int:
    """Delete all TaskRuns of ``runs``, with their pods and logs; how many there were.

    Raises InputError for a run that is not over, before anything is deleted.
    """
    chosen = list(runs)
    for known in chosen:
        if not known.is_over:
            raise InputError(
                f"run {known.run} is not over",
                hint=f"end it with `okd-payload runs cancel {known.run}`",
            )
    turn = asyncio.Semaphore(_AT_ONCE)

    async def delete(task_run: TaskRun) -> None:
        async with turn:
            await cluster.delete(kinds.TASK_RUN, task_run.name, namespace=namespace)

    task_runs = [task_run for known in chosen for task_run in known.task_runs]
    await asyncio.gather(*(delete(task_run) for task_run in task_runs))
    return len(task_runs)


async def _cancel_all(cluster: Cluster, task_runs: Iterable[TaskRun], namespace: str) -> None:
    for task_run in task_runs:
        try:
            await cluster.patch(kinds.TASK_RUN, task_run.name, _PATCH, namespace=namespace)
        except NoSuchObject:
            continue  # it went by itself
        except ClusterError:
            # The webhook lets nothing change in what has just ended.
            content = await cluster.get(kinds.TASK_RUN, task_run.name, namespace=namespace)
            if not decode_task_run(content).is_over:
                raise
