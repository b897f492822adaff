# SPDX-License-Identifier: Apache-2.0
"""Taking over and ending TaskRuns; ``run_writing`` makes and removes them.

Ended is deleted, in the foreground: the object stays, marked, until its pod has stopped, so its
name is not given to another while the old pod still has it.
"""

from __future__ import annotations

import asyncio
import logging

import msgspec

from okd_payload.clock import Clock
from okd_payload.cluster import Cluster, kinds
from okd_payload.engines.pod import labels
from okd_payload.engines.pod.object_watch import ObjectWatch
from okd_payload.engines.pod.run_writing import RunWriter
from okd_payload.engines.tekton.settings import Patience
from okd_payload.engines.tekton.task_run import TaskRun
from okd_payload.errors import ClusterError, NoSuchObject
from okd_payload.progress import Progress

_logger = logging.getLogger(__name__)


class TaskRunWriter(RunWriter[TaskRun]):
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
        super().__init__(
            cluster,
            watch,
            kinds.TASK_RUN,
            namespace=namespace,
            clock=clock,
            quota_seconds=patience.quota,
            progress=progress,
        )
        self._cancel_seconds = patience.cancelled_log

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
            async with asyncio.timeout(self._cancel_seconds):
                await self._cluster.delete(
                    kinds.TASK_RUN, name, namespace=self._namespace, wait=True
                )
        except TimeoutError:
            _logger.info("the pod of TaskRun %s takes long to stop", name)
        except ClusterError as error:
            _logger.warning("TaskRun %s could not be cancelled: %s", name, error)
