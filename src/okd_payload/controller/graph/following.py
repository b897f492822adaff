# SPDX-License-Identifier: Apache-2.0
"""The newest snapshot, for all who need one: read whole once, and brought up to date after that.

Graphs and metrics ask for it, some of them every few seconds; whoever is first after a start, or
after a change of the configuration, waits until every release is read.
"""

from __future__ import annotations

import asyncio

from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.controller.graph.nodes import Snapshot
from okd_payload.controller.graph.reading import read_snapshot, refresh
from okd_payload.controller.surroundings import Surroundings


class SnapshotReader:
    """Keeps the snapshot that was read last."""

    def __init__(self) -> None:
        self._snapshot: Snapshot | None = None
        self._streams: tuple[StreamConfiguration, ...] = ()
        self._lock = asyncio.Lock()

    async def read(self, surroundings: Surroundings) -> Snapshot:
        """Everything that graphs are made of, as it is now. Raises RecordsError.

        Where no graph looks otherwise than the last time, it has the same nodes.
        """
        async with self._lock:  # all who wait get what the first one read
            configurations = dict(surroundings.configurations())
            streams, before = tuple(configurations.values()), self._snapshot
            if before is None or streams != self._streams:
                found = await surroundings.database.read(
                    lambda unit: read_snapshot(unit, configurations)
                )
            else:
                found = await surroundings.database.read(
                    lambda unit: refresh(unit, before, configurations)
                )
            self._snapshot, self._streams = found, streams
            return found
