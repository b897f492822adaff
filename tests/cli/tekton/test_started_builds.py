# SPDX-License-Identifier: Apache-2.0
"""What a deployed job does when its time comes, with the real buildah in its pods."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from process_cluster import NAMESPACE, ProcessCluster
from small_stream import COMPONENTS, SOURCES, STREAM, write_stream

from okd_payload.cluster import kinds
from okd_payload.engines.manifests import Metadata
from okd_payload.engines.pod.accounts import COORDINATOR
from okd_payload.engines.pod.tool import WORK_FOLDER, ToolSettings
from okd_payload.engines.tekton.triggers.settings import StreamSource
from okd_payload.engines.tekton.triggers.starting import make_proposal_run
from okd_payload.oci.reference import parse_reference
from okd_payload.oci.registry import RegistryClient
from okd_payload.testing.git_server import serve_git

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
    given = {
        item["name"]: item["value"].replace(WORK_FOLDER, str(work)) for item in container["env"]
    }
    words = [*container["command"], *container["args"]]
    return subprocess.run(
        [word.replace(f"{WORK_FOLDER}/", f"{work}/") for word in words],
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


def git(folder: Path, *words: str) -> str:
    """What git prints in ``folder``."""
    who = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.com")
    command = ["git", "-C", str(folder), *who, *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def commit(folder: Path, branch: str = "main") -> str:
    """Commit everything in ``folder``, which becomes a repository."""
    git(folder, "init", "--quiet", "-b", branch)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", "a change")
    return git(folder, "rev-parse", "HEAD")


def run_steps(run: dict[str, Any], values: dict[str, str], work: Path) -> list[str]:
    """Run the steps of a TaskRun as Tekton would; what each printed."""
    printed = []
    for step in run["spec"]["taskSpec"]["steps"]:
        words = [*step["command"], *step["args"]]
        for name, value in values.items():
            words = [word.replace(f"$(params.{name})", value) for word in words]
        words = [word.replace(WORK_FOLDER, str(work)) for word in words]
        if words[0] == "okd-payload":
            words[:1] = [sys.executable, "-m", "okd_payload"]
        given = {
            item["name"]: item["value"].replace(WORK_FOLDER, str(work)) for item in step["env"]
        }
        ended = subprocess.run(
            words, env={**os.environ, **given}, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stderr
        printed.append(ended.stdout)
    return printed


def test_a_proposal_is_built_on_a_release_and_pushes_nothing(
    docker_registry: str, tmp_path: Path, run_cli
):
    """One pod fetches the stream, builds the proposed commit, and makes a release of its own."""
    content, releases = (f"{docker_registry}/proposed/{name}" for name in ("content", "release"))
    with serve_git(tmp_path / "git") as server:
        etcd = tmp_path / "git" / "openshift" / "etcd"
        etcd.mkdir(parents=True)
        for name in ("Dockerfile", "etcd.sh"):
            (etcd / name).write_text(SOURCES[f"etcd/{name}"])
        commit(etcd)
        source = f"source: {{git: {server.url}/openshift/etcd, ref: main}}\n"
        publish = f"publish: {{content: {content}, releases: {releases}}}\n"
        stream = write_stream(
            tmp_path / "git" / "okd" / "streams",
            stream=re.sub(r"publish: .*\n", publish, STREAM),
            components={**COMPONENTS, "etcd": source},
        )
        commit(stream.parent)
        code, out, err = run_cli("build", stream)
        assert code == 0, err
        name = out.split()[0]
        code, _, err = run_cli("publish", stream, name)
        assert code == 0, err
        (etcd / "etcd.sh").write_text("#!/bin/sh\necho etcd 3.6\n")
        proposed = commit(etcd)
        git(etcd, "update-ref", "refs/pull/7/head", proposed)
        git(etcd, "reset", "--quiet", "--hard", "HEAD~1")
        run = make_proposal_run(
            StreamSource(url=f"{server.url}/okd/streams", ref="main"),
            ToolSettings(credentials="registry-credentials"),
            base_release=f"{releases}:{name}",
            depth=0,
            metadata=Metadata(namespace=NAMESPACE),
        )
        before = asyncio.run(tags_of(content)), asyncio.run(tags_of(releases))
        values = {"repository": "openshift/etcd", "commit": proposed, "components": "etcd"}
        (tmp_path / "work").mkdir()
        _, printed = run_steps(msgspec.to_builtins(run), values, tmp_path / "work")
    assert re.search(r"^0 +etcd +built ", printed, re.MULTILINE)
    assert f"openshift/etcd at {proposed[:12]}" in printed
    assert printed.split()[0] != name
    assert (asyncio.run(tags_of(content)), asyncio.run(tags_of(releases))) == before
    assert (tmp_path / "work" / "report" / "report.json").is_file()


async def tags_of(repository: str) -> list[str]:
    """All tags of a repository."""
    async with RegistryClient() as client:
        return await client.repository(parse_reference(repository)).manifests.tags()
