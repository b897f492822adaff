# SPDX-License-Identifier: Apache-2.0
"""The loop that all controllers have: look at what changed, and come back when time is over.

A controller says which object a change is about, and brings that object one step further; it says
when it wants to look again although nothing changes. Between two looks nothing is remembered:
everything stands in the cluster, so that a controller can be away (``pause``) and come back
(``resume``) at any moment, as a real one that is restarted.

    class Builds(Controller):
        kinds = (BUILD, POD)
        def key_of(self, change, document): ...
        def reconcile(self, cluster, key): ...
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

from okd_payload.cluster import Change, ObjectKind
from okd_payload.testing.kubernetes.documents import JsonObject
from okd_payload.testing.kubernetes.simulated_cluster import SimulatedCluster


class Key(NamedTuple):
    """Which object a controller is to look at."""

    namespace: str
    name: str


class Controller(ABC):
    """Lives in a simulated cluster."""

    kinds: ClassVar[tuple[ObjectKind, ...]]
    """What it watches."""

    def __init__(self) -> None:
        self._cluster: SimulatedCluster | None = None
        self._group: asyncio.TaskGroup | None = None
        self._timers: dict[Key, tuple[float, asyncio.Task[None]]] = {}
        self._away = False
        self._missed: dict[Key, None] = {}

    @abstractmethod
    def key_of(self, change: Change, document: JsonObject) -> Key | None:
        """The object that a change is about; None when there is nothing to do."""

    @abstractmethod
    def reconcile(self, cluster: SimulatedCluster, key: Key) -> float | None:
        """Bring the object one step further; when to look again, in seconds since the epoch."""

    async def __call__(self, cluster: SimulatedCluster) -> None:
        """Reconcile for ever."""
        self._cluster = cluster
        async with asyncio.TaskGroup() as group:
            self._group = group
            async for change, document in cluster.changes(*self.kinds):
                key = self.key_of(change, document)
                if key is not None and key.name:
                    self._meet(key)

    def pause(self) -> None:
        """Be away from now on."""
        self._away = True

    def resume(self) -> None:
        """Be back, and look at everything that changed meanwhile."""
        self._away = False
        missed, self._missed = self._missed, {}
        for key in missed:
            self._meet(key)

    def _meet(self, key: Key) -> None:
        if self._away:
            self._missed[key] = None
            return
        assert self._cluster is not None
        assert self._group is not None
        again = self.reconcile(self._cluster, key)
        moment, timer = self._timers.get(key, (None, None))
        if again == moment:
            return
        if timer is not None:
            timer.cancel()
            del self._timers[key]
        if again is not None:
            self._timers[key] = (again, self._group.create_task(self._come_back(key, again)))

    async def _come_back(self, key: Key, moment: float) -> None:
        assert self._cluster is not None
        clock = self._cluster.state.clock
        await clock.wait(max(moment - clock.now(), 0.0))
        self._timers.pop(key, None)
        self._meet(key)
