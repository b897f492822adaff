# SPDX-License-Identifier: Apache-2.0
"""Streams built on a cluster by the real command line, with the real buildah in its pods."""

from __future__ import annotations

import contextlib
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from process_cluster import NAMESPACE, ProcessCluster
from small_stream import write_stream

from okd_payload.cluster.kinds import POD

pytestmark = pytest.mark.integration


def words(cluster: ProcessCluster, repository: str) -> list[str]:
    """The options that build on the cluster."""
    return [
        *("--engine", "tekton", "--kubeconfig", str(cluster.kubeconfig)),
        *("--repository", repository, "--jobs", "2"),
    ]


def digests(printed: dict[str, Any]) -> dict[str, str]:
    """The images of a build, by component."""
    return {item["name"]: item["digest"] for item in printed["components"]}


def actions(printed: dict[str, Any]) -> dict[str, str]:
    """What happened to each component."""
    return {item["name"]: item["action"] for item in printed["components"]}


def test_a_cluster_gives_what_this_machine_gives(
    cluster: ProcessCluster, docker_registry: str, tmp_path: Path, run_cli
):
    """Keys, images and the payload are those of buildah here; a second build makes no pod."""
    stream = write_stream(tmp_path / "stream")
    there = words(cluster, f"{docker_registry}/tekton/same")
    code, out, err = run_cli("build", stream, *there, "-o", "json")
    assert code == 0, err
    on_cluster = json.loads(out)
    assert actions(on_cluster)["etcd"] == "built"
    assert len(cluster.task_runs) == 4
    assert cluster.left == []
    made = len(cluster.commands)
    code, out, err = run_cli("build", stream, *there, "-o", "json")
    assert (code, len(cluster.commands)) == (0, made)
    assert set(actions(json.loads(out)).values()) == {"reused", "stub"}
    code, out, err = run_cli("build", stream, "-o", "json")
    here = json.loads(out)
    assert digests(here) == digests(on_cluster)
    assert here["release"]["digest"] == on_cluster["release"]["digest"]
    code, out, err = run_cli("logs", "etcd")
    assert "COPY etcd.sh /bin/etcd" in out


def test_a_cluster_without_tekton_is_told_at_once(tmp_path: Path, run_cli):
    """One message, before anything is built, and no run that anybody would wonder about."""
    stream = write_stream(tmp_path / "stream")
    with ProcessCluster(tmp_path / "cluster", has_tekton=False) as cluster:
        code, _, err = run_cli("build", stream, *words(cluster, "registry.test/nobody"))
    assert code == 1
    assert "error: there is no Tekton on this cluster" in err
    assert err.count("error:") == 1
    runs = tmp_path / "state" / "streams" / "small" / "runs"
    assert list(runs.glob("*")) == []


def test_a_failing_build_says_what_failed(
    cluster: ProcessCluster, docker_registry: str, tmp_path: Path, run_cli
):
    """The message is the one that a build on this machine gives, and nothing is left behind."""
    stream = write_stream(tmp_path / "stream")
    dockerfile = tmp_path / "stream" / "etcd" / "Dockerfile"
    dockerfile.write_text(dockerfile.read_text() + "RUN echo on purpose && false\n")
    code, _, err = run_cli("build", stream, *words(cluster, f"{docker_registry}/tekton/fails"))
    assert code == 1
    assert "RUN echo on purpose && false failed" in err
    assert "on purpose" in run_cli("logs", "etcd").out
    assert cluster.left == []


def test_a_detached_build_is_followed_and_finished_here(
    cluster: ProcessCluster, docker_registry: str, tmp_path: Path, run_cli
):
    """The cluster plans and builds; whoever attaches sees it, and builds the release from it."""
    stream = write_stream(tmp_path / "stream")
    there = words(cluster, f"{docker_registry}/tekton/detached")
    code, out, err = run_cli("build", stream, *there, "--detach")
    assert code == 0, err
    run = out.strip()
    reach = ["--kubeconfig", str(cluster.kubeconfig)]
    code, out, err = run_cli("runs", "attach", run, *reach)
    assert code == 0, out + err
    assert "built etcd" in out
    assert "COPY etcd.sh /bin/etcd" in run_cli("logs", "etcd").out
    code, out, err = run_cli("runs", "list", *reach, "-o", "json")
    (listed,) = json.loads(out)
    assert (listed["run"], listed["state"], listed["built"]) == (run, "succeeded", 4)
    owners = [
        owner["name"]
        for task_run in cluster.task_runs
        for owner in task_run["metadata"].get("ownerReferences", [])
    ]
    assert owners == [f"okd-payload-{run.lower()}"] * 4
    code, out, err = run_cli("build", stream, *there, "-o", "json")
    assert set(actions(json.loads(out)).values()) == {"reused", "stub"}
    code, out, err = run_cli("runs", "prune", *reach)
    assert code == 0, err
    assert cluster.left == []


def test_a_detached_build_is_cancelled(
    cluster: ProcessCluster, docker_registry: str, tmp_path: Path, run_cli
):
    """Coordinator and builds end, the run says so, and an attached command ends too."""
    cluster.delays = lambda task_run: 600.0 if "params" in task_run["spec"] else 0.0
    stream = write_stream(tmp_path / "stream")
    there = words(cluster, f"{docker_registry}/tekton/cancelled")
    run = run_cli("build", stream, *there, "--detach").out.strip()
    cluster.wait_for(lambda it: len(_running(it)) == 2)
    reach = ["--kubeconfig", str(cluster.kubeconfig)]
    code, out, err = run_cli("runs", "cancel", run, *reach)
    assert (code, err) == (0, "")
    assert out.startswith(f"{run}: 2 objects cancelled")
    code, out, err = run_cli("runs", "list", *reach)
    assert "cancelled, detached" in out
    code, out, err = run_cli("runs", "attach", run, *reach)
    assert code == 130


def _running(simulated: Any) -> list[Any]:
    pods = simulated.objects(POD, namespace=NAMESPACE)
    return [pod for pod in pods if pod.get("status", {}).get("phase") == "Running"]


@pytest.mark.slow
def test_a_killed_program_goes_on_where_it_ended(
    cluster: ProcessCluster, docker_registry: str, tmp_path: Path, run_cli
):
    """Killed by SIGKILL again and again, it adopts its pods: each image is built by one pod."""
    chance = random.Random(1)
    cluster.delays = lambda _: chance.uniform(0.2, 1.0)
    stream = write_stream(tmp_path / "stream")
    there = words(cluster, f"{docker_registry}/tekton/killed")
    command = [sys.executable, "-m", "okd_payload", "build", str(stream), *there]
    for _ in range(5):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(chance.uniform(0.8, 1.6))
        process.kill()
        process.wait()
    code, _, err = run_cli("build", stream, *there, "-o", "json")
    assert code == 0, err
    keys = [it["metadata"]["annotations"]["okd-payload.io/build-key"] for it in cluster.task_runs]
    assert sorted(keys) == sorted(set(keys))
    assert len(keys) == 4
    assert cluster.left == []
    for component in ("base", "etcd", "etcd-operator", "cluster-version-operator"):
        assert "COMMIT" in run_cli("logs", component).out
