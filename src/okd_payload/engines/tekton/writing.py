# SPDX-License-Identifier: Apache-2.0
"""Making, taking over and ending TaskRuns.

A creation that is interrupted is waited for, because only then is it known whether there is
something to end. Ended is deleted, in the foreground: the object stays, marked, until its pod
has stopped, so its name is not given to another while the old pod still has it.
"""

from __future__ import annotations

import asyncio
import logging

import msgspec

from okd_payload.clock import Clock
from okd_payload.cluster import Cluster, kinds
from okd_payload.engines.manifests import encode_manifest
from okd_payload.engines.pod import labels
from okd_payload.engines.pod.object_watch import ObjectWatch
from okd_payload.engines.tekton.objects import WrittenTaskRun
from okd_payload.engines.tekton.settings import Patience
from okd_payload.engines.tekton.task_run import TaskRun
from okd_payload.errors import AlreadyThere, ClusterError, NoSuchObject, QuotaExceeded, Refused
from okd_payload.progress import Delayed, Progress

_QUOTA_PAUSE = 15.0

_logger = logging.getLogger(__name__)


class TaskRunWriter:
    """Changes TaskRuns of one namespace."""

    def __init__(
        self,
        cluster: Cluster,
        watch: ObjectWatch[TaskRun],
        *,
        namespace: str,
        clock: Clock,
        patience: Patience,
        progress: Progress,
    ) -> None:
        self._cluster = cluster
        self._watch = watch
        self._namespace = namespace
        self._clock = clock
        self._patience = patience
        self._progress = progress

    async def make(self, written: WrittenTaskRun) -> TaskRun:
        """Make the TaskRun, or find the one that is there already for the same key.

        Waits while a quota is in the way. Raises QuotaExceeded when that lasts too long, Refused
        and other errors of clusters. When cancelled, nothing of it is left.
        """
        waited = 0.0
        while True:
            try:
                return self._watch.learn(await self._create(written))
            except AlreadyThere:
                return await self._find(written)
            except QuotaExceeded as error:
                if waited >= self._patience.quota:
                    raise
                self._progress(Delayed(subject=written.metadata.name, reason=error.message))
            await self._clock.wait(_QUOTA_PAUSE)
            waited += _QUOTA_PAUSE

    async def adopt(self, name: str, *, run: str) -> None:
        """Let the TaskRun belong to ``run``, so that it counts and ends with that."""
        known = self._watch.find(name)
        label = labels.label_value(run)
        if known is None or known.is_over or known.metadata.labels.get(labels.RUN) == label:
            return
        patch = msgspec.json.encode({"metadata": {"labels": {labels.RUN: label}}})
        try:
            await self._cluster.patch(kinds.TASK_RUN, name, patch, namespace=self._namespace)
        except NoSuchObject:
            return  # it is told by the watch

    async def cancel(self, name: str) -> None:
        """End the TaskRun and wait a little for its pod to stop; it ends in any case."""
        try:
            async with asyncio.timeout(self._patience.cancelled_log):
                await self._cluster.delete(
                    kinds.TASK_RUN, name, namespace=self._namespace, wait=True
                )
        except TimeoutError:
            _logger.info("the pod of TaskRun %s takes long to stop", name)
        except ClusterError as error:
            _logger.warning("TaskRun %s could not be cancelled: %s", name, error)

    async def delete(self, name: str) -> None:
        """Remove a TaskRun that is over; whoever cannot, says so and goes on."""
        try:
            await self._cluster.delete(kinds.TASK_RUN, name, namespace=self._namespace)
        except ClusterError as error:
            _logger.warning("TaskRun %s could not be deleted: %s", name, error)

    async def _create(self, written: WrittenTaskRun) -> bytes:
        """Create it; when cancelled meanwhile, undo it."""
        creating = asyncio.ensure_future(
            self._cluster.create(
                kinds.TASK_RUN, encode_manifest(written), namespace=self._namespace
            )
        )
        try:
            return await asyncio.shield(creating)
        except asyncio.CancelledError:
            await asyncio.wait([creating])
            if not creating.cancelled() and creating.exception() is None:
                await self.cancel(written.metadata.name)
            raise

    async def _find(self, written: WrittenTaskRun) -> TaskRun:
        """The TaskRun of that name. Raises Refused when it is for something else."""
        name = written.metadata.name
        content = await self._cluster.get(kinds.TASK_RUN, name, namespace=self._namespace)
        found = self._watch.learn(content)
        if found.key != written.metadata.annotations.get(labels.WHOLE_KEY, ""):
            raise Refused(
                f"namespace {self._namespace} has a TaskRun {name} that builds something else",
                hint="delete it, or build in a namespace of your own",
            )
        return found
