# SPDX-License-Identifier: Apache-2.0
"""What a deployed job does when its time comes, with the real buildah in its pods."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from process_cluster import NAMESPACE, ProcessCluster
from small_stream import write_stream

from okd_payload.cluster import kinds
from okd_payload.engines.pod.accounts import COORDINATOR

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def run_job(cluster: ProcessCluster, name: str, work: Path) -> subprocess.CompletedProcess[str]:
    """Run the container of the job ``name`` as a kubelet would, ``work`` being its volume."""
    job = cluster.ask(lambda it: it.find(kinds.CRON_JOB, name, namespace=NAMESPACE))
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    programs = work / "programs"
    programs.mkdir()
    program = programs / "okd-payload"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m okd_payload "$@"\n')
    program.chmod(0o755)
    given = {item["name"]: item["value"].replace("/work", str(work)) for item in container["env"]}
    words = [*container["command"], *container["args"]]
    return subprocess.run(
        [word.replace("/work/", f"{work}/") for word in words],
        env={
            **os.environ,
            **given,
            "PATH": f"{programs}:{os.environ['PATH']}",
            "KUBECONFIG": str(cluster.kubeconfig),
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_clock_builds_and_releases(
    cluster: ProcessCluster, docker_registry: str, tmp_path: Path, run_cli
):
    """The job freezes the stream, builds it by pods, and pushes the release; then there is none."""
    content, releases = (f"{docker_registry}/started/{name}" for name in ("content", "release"))
    stream = write_stream(tmp_path / "work" / "stream")
    cluster.ask(lambda it: it.delete(kinds.SERVICE_ACCOUNT, COORDINATOR, namespace=NAMESPACE))
    code, _, err = run_cli(
        *("deploy", "tekton", stream, "--kubeconfig", cluster.kubeconfig),
        *("--namespace", NAMESPACE, "--repository", content, "--releases", releases),
        *("--anonymous", "--declared-edges", "--schedule", "@daily", "--jobs", "2", "--yes"),
        *("--source", "https://git.example.com/okd/streams@main"),
    )
    assert code == 0, err
    ended = run_job(cluster, "okd-payload-build", tmp_path / "work")
    assert ended.returncode == 0, ended.stderr
    assert len(cluster.task_runs) == 4
    accounts = {run["spec"]["serviceAccountName"] for run in cluster.task_runs}
    assert accounts == {"okd-payload-builder"}
    pull_spec = ended.stdout.split()[-1]
    assert pull_spec.startswith(releases)
    code, out, err = run_cli("release", "info", pull_spec)
    assert code == 0, err
    assert "etcd-operator" in out
    (tmp_path / "again").mkdir()
    write_stream(tmp_path / "again" / "stream")
    again = run_job(cluster, "okd-payload-build", tmp_path / "again")
    assert again.returncode == 0, again.stderr
    assert len(cluster.task_runs) == 4
    assert again.stdout.split()[-1] == pull_spec
