# SPDX-License-Identifier: Apache-2.0
"""An API server in a thread of its own, because commands have their own event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from okd_payload.cluster import kinds
from okd_payload.testing.kubernetes import SimulatedCluster
from okd_payload.testing.kubernetes.server import KubernetesServer

TEKTON = (kinds.TASK, kinds.PIPELINE, kinds.TASK_RUN, kinds.PIPELINE_RUN)
TRIGGERS = (kinds.EVENT_LISTENER, kinds.TRIGGER_BINDING, kinds.TRIGGER_TEMPLATE)


@pytest.fixture
def bare() -> SimulatedCluster:
    """A cluster with nothing but what Kubernetes has."""
    return SimulatedCluster()


@pytest.fixture
def simulated(bare: SimulatedCluster) -> SimulatedCluster:
    """The same with Tekton and Triggers."""
    for kind in (*TEKTON, *TRIGGERS):
        bare.serve(kind)
    return bare


@pytest.fixture
def server(bare: SimulatedCluster) -> Iterator[KubernetesServer]:
    """The cluster's API, by HTTP."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    served = KubernetesServer(bare)

    def run(work) -> None:
        asyncio.run_coroutine_threadsafe(work, loop).result()

    run(served.__aenter__())
    yield served
    run(served.__aexit__(None, None, None))
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def kubeconfig(server: KubernetesServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The way of an administrator to it, where commands look for it."""
    path = server.write_kubeconfig(tmp_path / "kubeconfig")
    monkeypatch.setenv("KUBECONFIG", str(path))
    return path
