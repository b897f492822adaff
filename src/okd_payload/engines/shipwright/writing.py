# SPDX-License-Identifier: Apache-2.0
"""Making, cancelling and removing BuildRuns, and the strategy that they use.

A creation that is interrupted is waited for, because only then is it known whether there is
something to cancel. Names say what a BuildRun is for, so one that is there already is the one
that was meant; anything else of that name is refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

import msgspec

from okd_payload.clock import Clock
from okd_payload.cluster import Cluster, kinds
from okd_payload.engines.pod import labels
from okd_payload.engines.pod.object_watch import ObjectWatch
from okd_payload.engines.shipwright import objects
from okd_payload.engines.shipwright.run_state import CANCEL, SET_ASIDE, BuildRun
from okd_payload.errors import AlreadyThere, ClusterError, NoSuchObject, QuotaExceeded, Refused

_QUOTA_PAUSE = 15.0
_MOST_QUOTA_PAUSES = 480
_KIND = kinds.SHIPWRIGHT_BUILD_RUN

_logger = logging.getLogger(__name__)


class BuildRunWriter:
    """Changes BuildRuns of the cluster's namespace."""

    def __init__(self, cluster: Cluster, watch: ObjectWatch[BuildRun], *, clock: Clock) -> None:
        self._cluster = cluster
        self._watch = watch
        self._clock = clock

    async def bring_strategy(self, strategy: objects.Strategy) -> None:
        """Let the namespace have ``strategy``, whose name is that of its content.

        Raises Refused and NotPermitted.
        """
        with contextlib.suppress(AlreadyThere):
            await self._cluster.create(kinds.BUILD_STRATEGY, msgspec.json.encode(strategy))

    async def make(self, written: objects.BuildRun) -> None:
        """Make the BuildRun, or find the one that is there already for the same key.

        Waits while a quota is in the way. Raises QuotaExceeded when that lasts too long, Refused
        and other errors of clusters. When cancelled, nothing of it goes on.
        """
        for pause in range(_MOST_QUOTA_PAUSES):
            try:
                self._watch.learn(await self._create(written))
            except AlreadyThere:
                await self._find(written)
            except QuotaExceeded:
                if pause == _MOST_QUOTA_PAUSES - 1:
                    raise
                await self._clock.wait(_QUOTA_PAUSE)
                continue
            return

    async def cancel(self, name: str) -> None:
        """Ask the cluster to stop the BuildRun, and say in it that it was us."""
        change = {"metadata": {"annotations": {SET_ASIDE: "true"}}, "spec": {"state": CANCEL}}
        try:
            await self._cluster.patch(_KIND, name, msgspec.json.encode(change))
        except NoSuchObject:
            return
        except ClusterError as error:
            _logger.warning("BuildRun %s could not be cancelled: %s", name, error)

    async def delete(self, name: str) -> None:
        """Remove a BuildRun and its pod; whoever cannot, says so and goes on."""
        try:
            await self._cluster.delete(_KIND, name)
        except ClusterError as error:
            _logger.warning("BuildRun %s could not be deleted: %s", name, error)

    async def _create(self, written: objects.BuildRun) -> bytes:
        creating = asyncio.ensure_future(self._cluster.create(_KIND, msgspec.json.encode(written)))
        try:
            return await asyncio.shield(creating)
        except asyncio.CancelledError:
            await asyncio.wait([creating])
            if not creating.cancelled() and creating.exception() is None:
                await self.cancel(written.metadata.name)
            raise

    async def _find(self, written: objects.BuildRun) -> None:
        """Take notice of the BuildRun of that name. Raises Refused when it is another one."""
        name = written.metadata.name
        found = self._watch.learn(await self._cluster.get(_KIND, name))
        if found.key != written.metadata.annotations.get(labels.WHOLE_KEY, ""):
            raise Refused(
                f"namespace {self._cluster.namespace} has a BuildRun {name} that builds "
                "something else",
                hint="delete it, or build in a namespace of your own",
            )
