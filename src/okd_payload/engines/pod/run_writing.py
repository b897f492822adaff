# SPDX-License-Identifier: Apache-2.0
"""Making runs that build one image each, and removing them: Tekton's as Shipwright's.

A creation that is interrupted is waited for, because only then is it known whether there is
something to end. Names say what a run is for (``attempt_names``), so one that is there already is
the one that was meant; anything else of that name is refused, and never touched. How a run is
ended depends on its kind, and is for those who extend this.
"""

from __future__ import annotations

import abc
import asyncio
import logging
from typing import Generic

from okd_payload.clock import Clock
from okd_payload.cluster import Cluster, ObjectKind
from okd_payload.engines.manifests import Manifest, encode_manifest
from okd_payload.engines.pod import labels
from okd_payload.engines.pod.object_watch import ObjectWatch, Seen
from okd_payload.errors import AlreadyThere, ClusterError, QuotaExceeded, Refused
from okd_payload.progress import Delayed, Progress

_QUOTA_PAUSE = 15.0

_logger = logging.getLogger(__name__)


class RunWriter(abc.ABC, Generic[Seen]):
    """Changes runs of one kind in one namespace."""

    def __init__(
        self,
        cluster: Cluster,
        watch: ObjectWatch[Seen],
        kind: ObjectKind,
        *,
        namespace: str,
        clock: Clock,
        quota_seconds: float,
        progress: Progress,
    ) -> None:
        """``quota_seconds`` is how long it is waited for room in the namespace's quota."""
        self._cluster = cluster
        self._watch = watch
        self._kind = kind
        self._namespace = namespace
        self._clock = clock
        self._quota_seconds = quota_seconds
        self._progress = progress

    async def make(self, written: Manifest) -> None:
        """Make the run, or find the one that is there already for the same key.

        Waits while a quota is in the way. Raises QuotaExceeded when that lasts too long, Refused
        and other errors of clusters. When cancelled, nothing of it goes on.
        """
        waited = 0.0
        while True:
            try:
                self._watch.learn(await self._create(written))
            except AlreadyThere:
                await self._find(written)
            except QuotaExceeded as error:
                if waited >= self._quota_seconds:
                    raise
                self._progress(Delayed(subject=written.metadata.name, reason=error.message))
                await self._clock.wait(_QUOTA_PAUSE)
                waited += _QUOTA_PAUSE
                continue
            return

    @abc.abstractmethod
    async def cancel(self, name: str) -> None:
        """Ask for the end of the run called ``name``; whoever cannot, says so and goes on."""

    async def delete(self, name: str) -> None:
        """Remove a run that is over, with its pod; whoever cannot, says so and goes on."""
        try:
            await self._cluster.delete(self._kind, name, namespace=self._namespace)
        except ClusterError as error:
            _logger.warning("%s %s could not be deleted: %s", self._kind.kind, name, error)

    async def _create(self, written: Manifest) -> bytes:
        """Create it; when cancelled meanwhile, end it."""
        creating = asyncio.ensure_future(
            self._cluster.create(self._kind, encode_manifest(written), namespace=self._namespace)
        )
        try:
            return await asyncio.shield(creating)
        except asyncio.CancelledError:
            await asyncio.wait([creating])
            if not creating.cancelled() and creating.exception() is None:
                await self.cancel(written.metadata.name)
            raise

    async def _find(self, written: Manifest) -> None:
        """Take notice of the run of that name. Raises Refused when it is for something else."""
        name = written.metadata.name
        content = await self._cluster.get(self._kind, name, namespace=self._namespace)
        found = self._watch.learn(content)
        if found.key != written.metadata.annotations.get(labels.WHOLE_KEY, ""):
            raise Refused(
                f"namespace {self._namespace} has a {self._kind.kind} {name} that builds "
                "something else",
                hint="delete it, or build in a namespace of your own",
            )
