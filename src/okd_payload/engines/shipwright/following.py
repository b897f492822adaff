# SPDX-License-Identifier: Apache-2.0
"""Following one BuildRun to its end: its state, its log, and what is worth saying meanwhile.

A state that only repeats itself is no progress, so only what somebody could act on is told, and
once. A controller that says nothing at all is waited for, because it may just be restarting, but
not for ever. The pod is found by the name of the BuildRun on it: no other right is needed.
"""

from __future__ import annotations

import asyncio

import msgspec

from okd_payload.cluster import Cluster, kinds
from okd_payload.cluster.pods import Pod, decode_pod
from okd_payload.engines.pod.causes import Cause
from okd_payload.engines.pod.judging import Verdict
from okd_payload.engines.pod.log_copy import LogCopy
from okd_payload.engines.pod.object_watch import ObjectWatch
from okd_payload.engines.pod.run_objects import Condition
from okd_payload.engines.shipwright.judging import judge_run
from okd_payload.engines.shipwright.run_state import RUN_LABEL, STEP, BuildRun
from okd_payload.engines.shipwright.settings import Patience
from okd_payload.errors import ClusterError
from okd_payload.progress import Noticed, Progress

_WORTH_TELLING = frozenset({Cause.UNSCHEDULABLE, Cause.QUOTA, Cause.IMAGE_PULLING})
_CONTAINER = f"step-{STEP}"


class Followed(msgspec.Struct, frozen=True, kw_only=True):
    """How a BuildRun ended; ``run`` is None when it is not there any more."""

    verdict: Verdict
    run: BuildRun | None


class Follower:
    """Follows BuildRuns of the cluster's namespace."""

    def __init__(
        self,
        cluster: Cluster,
        watch: ObjectWatch[BuildRun],
        *,
        patience: Patience,
        progress: Progress,
    ) -> None:
        self._cluster = cluster
        self._watch = watch
        self._patience = patience
        self._progress = progress

    async def follow(self, name: str, log: LogCopy, *, subject: str) -> Followed:
        """Wait for the end of the BuildRun ``name``; its log is whole then, if it can be had.

        Raises ClusterError when the watch ended for good, and StorageError.
        """
        told: set[Cause] = set()
        seen: BuildRun | None = None
        waited: Condition | None = None
        while True:
            silence = None if seen is not None and seen.condition else self._patience.silence
            try:
                async with asyncio.timeout(silence):
                    seen = await self._watch.next_change(name, seen)
            except TimeoutError:
                message = f"the controller has not said anything about {name} for a while"
                return Followed(verdict=Verdict(cause=Cause.SILENT, message=message), run=seen)
            if seen is None:
                await log.wait_for_end(self._patience.log)
                message = f"BuildRun {name} was deleted"
                return Followed(verdict=Verdict(cause=Cause.DELETED, message=message), run=None)
            verdict = judge_run(seen)
            if verdict.is_final:
                pod = await self._begin_log(name, log)
                await log.wait_for_end(self._patience.log)
                verdict = judge_run(seen, pod, waited=waited)
                return Followed(verdict=verdict, run=seen)
            waited = seen.condition
            if verdict.cause is Cause.RUNNING:
                await self._begin_log(name, log)
            if verdict.cause in _WORTH_TELLING - told:
                told.add(verdict.cause)
                said = f"{verdict.cause.value}: {verdict.message}"
                self._progress(Noticed(subject=subject, message=said))

    async def wait_for_end(self, name: str) -> None:
        """Return when the BuildRun is over or gone. Raises ClusterError."""
        seen = self._watch.find(name)
        while seen is not None and not seen.is_over:
            seen = await self._watch.next_change(name, seen)

    async def _begin_log(self, name: str, log: LogCopy) -> Pod | None:
        """Copy what the pod of the BuildRun prints; the pod, if there is one."""
        try:
            listed = await self._cluster.list(kinds.POD, labels=f"{RUN_LABEL}={name}")
        except ClusterError as error:
            log.note(f"the pod of {name} cannot be looked for: {error}")
            return None
        pods = [decode_pod(content) for content in listed.items]
        for pod in pods:
            if pod.status.container(_CONTAINER).has_begun:
                log.begin(pod.metadata.name, _CONTAINER)
        return pods[-1] if pods else None
