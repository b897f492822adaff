# SPDX-License-Identifier: Apache-2.0
"""Cancelling BuildRuns, and the strategy that they use; ``run_writing`` makes and removes them.

A strategy is called by its content, so one of that name that is there already is the one that was
meant, and none is ever changed.
"""

from __future__ import annotations

import contextlib
import logging

from okd_payload.cluster import kinds
from okd_payload.engines.manifests import encode_manifest
from okd_payload.engines.pod.run_writing import RunWriter
from okd_payload.engines.shipwright import objects
from okd_payload.engines.shipwright.run_state import CANCELLATION, BuildRun
from okd_payload.errors import AlreadyThere, ClusterError, NoSuchObject

_logger = logging.getLogger(__name__)


class BuildRunWriter(RunWriter[BuildRun]):
    """Changes BuildRuns of one namespace."""

    async def bring_strategy(self, strategy: objects.Strategy) -> None:
        """Let the namespace have ``strategy``, whose name is that of its content.

        Raises Refused and NotPermitted.
        """
        with contextlib.suppress(AlreadyThere):
            await self._cluster.create(
                kinds.BUILD_STRATEGY, encode_manifest(strategy), namespace=self._namespace
            )

    async def cancel(self, name: str) -> None:
        """Ask the cluster to stop the BuildRun, and say in it that it was us."""
        try:
            await self._cluster.patch(self._kind, name, CANCELLATION, namespace=self._namespace)
        except NoSuchObject:
            return
        except ClusterError as error:
            _logger.warning("BuildRun %s could not be cancelled: %s", name, error)
