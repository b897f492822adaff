# SPDX-License-Identifier: Apache-2.0
"""Ending a run, and clearing away what is over.

Who is asked to end may make one more child before it hears of it, so it is looked again until
nothing runs. What was cancelled stays, and says so; clearing away is asked for separately.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable

from okd_payload.clock import Clock
from okd_payload.cluster import Cluster
from okd_payload.engines.runs.members import Member, cancel_member
from okd_payload.engines.runs.overview import KnownRun, find_run
from okd_payload.errors import (
    ClusterUnavailable,
    InputError,
    NoSuchObject,
    UnknownName,
)

_LOOKS = 60
_PAUSE = 1.0
_AT_ONCE = 8


async def cancel_run(cluster: Cluster, run: str, *, clock: Clock, namespace: str = "") -> int:
    """End everything of ``run``; how much of it was running.

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
        going_on = [it for it in known.members if not it.is_over]
        if not going_on:
            return len(cancelled)
        await _cancel_all(cluster, (it for it in going_on if not it.is_ending), namespace)
        cancelled |= {it.name for it in going_on}
        await clock.wait(_PAUSE)
    raise ClusterUnavailable(
        f"run {run} was cancelled, and something of it still runs",
        hint="look whether the controller works: `okd-payload doctor --cluster`",
    )


async def prune_runs(cluster: Cluster, runs: Iterable[KnownRun], *, namespace: str = "") -> int:
    """Delete all objects of ``runs``, with their pods and logs; how many there were.

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

    async def delete(member: Member) -> None:
        async with turn:
            await cluster.delete(member.kind, member.name, namespace=namespace)

    members = [member for known in chosen for member in known.members]
    await asyncio.gather(*(delete(member) for member in members))
    return len(members)


async def _cancel_all(cluster: Cluster, members: Iterable[Member], namespace: str) -> None:
    for member in members:
        with contextlib.suppress(NoSuchObject):  # it went by itself
            await cancel_member(cluster, member, namespace=namespace)
