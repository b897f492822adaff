# SPDX-License-Identifier: Apache-2.0
"""A cluster that can build, from which tests take things away."""

from __future__ import annotations

import pytest

from okd_payload.cluster import kinds
from okd_payload.engines.pod.readiness.examination import Wanted
from okd_payload.engines.pod.readiness.probe_pod import make_probe_pod
from okd_payload.engines.pod.security import SecurityProfile
from okd_payload.engines.pod.tool import ToolSettings
from okd_payload.testing.kubernetes import MemoryCluster, SimulatedCluster

TEKTON = (kinds.TASK, kinds.TASK_RUN, kinds.PIPELINE, kinds.PIPELINE_RUN)


def node(name="n1", *, ready="True", memory="16Gi", architecture="amd64", **status):
    """A node."""
    return {
        "metadata": {"name": name},
        "status": {
            "nodeInfo": {
                "architecture": architecture,
                "operatingSystem": "linux",
                "kernelVersion": "6.8.0-31-generic",
                "kubeletVersion": "v1.36.2",
            },
            "conditions": [{"type": "Ready", "status": ready}],
            "allocatable": {"cpu": "8", "memory": memory},
            **status,
        },
    }


@pytest.fixture
def simulated():
    """A cluster with Tekton, a node, a default storage class and a lenient namespace."""
    cluster = SimulatedCluster()
    for kind in TEKTON:
        cluster.serve(kind)
    cluster.add_namespace("tekton-pipelines")
    cluster.add_namespace("builds", {"pod-security.kubernetes.io/enforce": "baseline"})
    told = {"metadata": {"name": "pipelines-info"}, "data": {"version": "v1.15.0"}}
    cluster.put(kinds.CONFIG_MAP, told, namespace="tekton-pipelines")
    cluster.put(kinds.NODE, node())
    annotations = {"storageclass.kubernetes.io/is-default-class": "true"}
    fast = {"metadata": {"name": "fast", "annotations": annotations}}
    cluster.put(kinds.STORAGE_CLASS, fast)
    return cluster


@pytest.fixture
def cluster(simulated):
    """The way of an administrator to it."""
    return MemoryCluster("builds", cluster=simulated)


@pytest.fixture
def wanted():
    """Builds by Tekton as they are by default."""
    return wish()


def wish(engine="tekton", profile=SecurityProfile.USER_NAMESPACE, **options):
    """How somebody wants to build."""
    settings = ToolSettings(profile=profile)
    pod = make_probe_pod("okd-payload-doctor-x", settings, seconds=300, **options)
    return Wanted(engine=engine, profile=profile, pod=pod)
