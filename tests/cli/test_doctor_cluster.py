# SPDX-License-Identifier: Apache-2.0
"""``okd-payload doctor --cluster`` as users meet it, before an API server."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from okd_payload.cluster import Change, kinds
from okd_payload.engines.pod.readiness.probe_report import ProbeReport, encode_report
from okd_payload.testing.kubernetes import SimulatedCluster
from okd_payload.testing.kubernetes.in_thread import serve_in_thread
from okd_payload.testing.kubernetes.server import KubernetesServer

TEKTON = (kinds.TASK, kinds.TASK_RUN, kinds.PIPELINE, kinds.PIPELINE_RUN)


@pytest.fixture
def simulated() -> SimulatedCluster:
    """A cluster with a namespace and nothing else."""
    cluster = SimulatedCluster()
    cluster.add_namespace("builds")
    return cluster


@pytest.fixture
def server(simulated: SimulatedCluster) -> Iterator[KubernetesServer]:
    """Its API, in a thread of its own, because commands have their own event loop."""
    with serve_in_thread(simulated) as served:
        yield served


@pytest.fixture
def doctor(server, tmp_path, run_cli):
    """The command, before this cluster."""
    path = server.write_kubeconfig(tmp_path / "kubeconfig", namespace="builds")

    def run(*arguments):
        return run_cli("doctor", "--cluster", "--kubeconfig", path, *arguments)

    return run


def furnish(simulated):
    """Put everything there that builds need."""
    for kind in TEKTON:
        simulated.serve(kind)
    status = {
        "nodeInfo": {
            "architecture": "arm64",
            "operatingSystem": "linux",
            "kernelVersion": "6.8.0",
            "kubeletVersion": "v1.36.2",
        },
        "conditions": [{"type": "Ready", "status": "True"}],
        "allocatable": {"cpu": "8", "memory": "16Gi"},
    }
    simulated.put(kinds.NODE, {"metadata": {"name": "n"}, "status": status})


def test_a_bare_cluster(doctor):
    """What is missing is told with the way to it; the exit code is 1."""
    code, out, err = doctor()
    assert code == 1
    assert "Tekton Pipelines  not installed" in out
    assert out.endswith("Tekton Pipelines cannot build here yet.\n")
    assert "error: Tekton Pipelines is not installed on this cluster [engine-absent]" in err
    assert "https://tekton.dev/docs/installation" in err


def test_a_cluster_that_can_build(doctor, simulated):
    """A cluster that lacks nothing is told as such, as text and as a document."""
    furnish(simulated)
    code, out, err = doctor()
    assert code == 0, err
    assert "Kubernetes        v1.36.2" in out
    assert "processors        arm64" in out
    assert "--probe tries it" in out
    assert "warning: the cluster has no default storage class" in err
    code, out, _ = doctor("-o", "json")
    assert code == 0
    told = json.loads(out)
    assert told["ready"] is True
    assert told["probe"] is None
    assert told["cluster"]["namespace"] == "builds"
    assert [issue["code"] for issue in told["cluster"]["issues"]] == ["no-default-storage-class"]
    assert simulated.objects(kinds.POD) == []


class Kubelet:
    """Ends every pod with what the probe in it would have said."""

    def __init__(self, report):
        self.report = encode_report(report).decode()

    async def __call__(self, cluster):
        async for change, pod in cluster.changes(kinds.POD):
            if change is Change.ADDED:
                terminated = {"exitCode": 0, "message": self.report}
                state = {"name": "probe", "state": {"terminated": terminated}}
                status = {"phase": "Succeeded", "containerStatuses": [state]}
                name = pod["metadata"]["name"]
                cluster.set_status(kinds.POD, name, status, namespace="builds")


def test_a_probe(simulated, run_cli, tmp_path, request):
    """With --probe a pod tries it, what it found is told, and it is gone."""
    furnish(simulated)
    report = ProbeReport(version="1", driver="overlay", repository="quay.test/a")
    simulated.controllers.append(Kubelet(report))
    doctor = request.getfixturevalue("doctor")
    code, out, err = doctor("--probe", "--repository", "quay.test/a")
    assert code == 0, err
    assert "first build       storage driver overlay, wrote to quay.test/a" in out
    assert out.endswith("Tekton Pipelines can build here.\n")
    assert simulated.objects(kinds.POD) == []


def test_another_namespace(doctor):
    """A namespace that is not there is told with the command that makes it."""
    code, _, err = doctor("--namespace", "none", "--engine", "openshift")
    assert code == 1
    assert "there is no namespace none [namespace-unusable]" in err
    assert "kubectl create namespace none" in err


def test_a_cluster_that_is_away(tmp_path, run_cli, server):
    """A server that nobody is at is an issue with its address, and ends soon."""
    path = server.write_kubeconfig(tmp_path / "k")
    path.write_text(path.read_text().replace(server.url, "http://127.0.0.1:1"))
    code, out, err = run_cli("doctor", "--cluster", "--kubeconfig", path, "-o", "yaml")
    assert code == 1
    assert "cluster-unreachable" in out
    assert err == ""


def test_a_probe_without_a_cluster(run_cli):
    """--probe alone is a wrong usage."""
    code, _, err = run_cli("doctor", "--probe")
    assert code == 2
    assert "say --cluster too" in err


def test_no_cluster_is_known(run_cli, monkeypatch, tmp_path):
    """Without any kubeconfig the user is told how to name one."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    code, _, err = run_cli("doctor", "--cluster")
    assert code == 2
    assert "no cluster is known here" in err
