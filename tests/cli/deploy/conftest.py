# SPDX-License-Identifier: Apache-2.0
"""An API server in a thread of its own, because commands have their own event loop."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from okd_payload.cluster import kinds
from okd_payload.testing.kubernetes import SimulatedCluster
from okd_payload.testing.kubernetes.in_thread import serve_in_thread
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
    with serve_in_thread(bare) as served:
        yield served


@pytest.fixture
def kubeconfig(server: KubernetesServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The way of an administrator to it, where commands look for it."""
    path = server.write_kubeconfig(tmp_path / "kubeconfig")
    monkeypatch.setenv("KUBECONFIG", str(path))
    return path
