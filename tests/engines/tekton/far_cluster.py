# SPDX-License-Identifier: Apache-2.0
"""A shipyard's cluster behind an API server, in a thread of its own; alone, in a process.

    python far_cluster.py FOLDER DIGESTS

serves a cluster whose pods build nothing, but know the digests of what would be built (JSON, by
build key). So the processor time of whoever asks it is that of the client alone.
"""

from __future__ import annotations

import asyncio
import random
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

sys.path.append(str(Path(__file__).parents[2] / "build"))

from pretend_tekton import Script
from shipyard import Shipyard

from okd_payload.testing.kubernetes.server import KubernetesServer


class QuickClock:
    """A clock on which a second takes a fiftieth of one."""

    def now(self) -> float:
        return 1_800_000_000.0 + self.monotonic()

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time() * 50

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds / 50)


class FarCluster:
    """The server of a shipyard's cluster, while it is entered."""

    def __init__(self, yard: Shipyard) -> None:
        self.server = KubernetesServer(yard.simulated)
        self.kubeconfig: Path = yard.path / "kubeconfig"
        self._ready = threading.Event()
        self._stopping: asyncio.Event
        self._loop: asyncio.AbstractEventLoop
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()))

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(60)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    async def _live(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        async with self.server:
            self.server.write_kubeconfig(self.kubeconfig, namespace="builds")
            self._ready.set()
            await self._stopping.wait()


def serve(folder: Path, digests: Path) -> None:
    """Serve until standard input ends."""
    yard = Shipyard(folder)
    yard.tekton.known = msgspec.json.decode(digests.read_bytes(), type=dict[str, str])
    chance = random.Random(1)
    yard.tekton.script = lambda _: Script(waits=0.01, seconds=chance.uniform(0.01, 0.1))
    with FarCluster(yard):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), Path(sys.argv[2]))
