# SPDX-License-Identifier: Apache-2.0
"""A server in a thread of its own, for commands that have their own event loop."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Iterator
from typing import Any

from okd_payload.testing.kubernetes.server import KubernetesServer
from okd_payload.testing.kubernetes.simulated_cluster import SimulatedCluster

_DEADLINE = 30.0
"""Seconds for starting and for stopping; no test waits for ever."""


@contextlib.contextmanager
def serve_in_thread(cluster: SimulatedCluster) -> Iterator[KubernetesServer]:
    """The API of ``cluster`` by HTTP, while it lasts. Raises TimeoutError."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = KubernetesServer(cluster)

    def run(work: Coroutine[Any, Any, object]) -> None:
        asyncio.run_coroutine_threadsafe(work, loop).result(_DEADLINE)

    try:
        run(server.__aenter__())
        try:
            yield server
        finally:
            run(server.__aexit__(None, None, None))
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_DEADLINE)
    loop.close()
