# SPDX-License-Identifier: Apache-2.0
"""Containers: pods where a cluster is known, buildah on this machine."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rig import Rig
from runners_rig import MakeContext, noted, until_ended

from okd_payload.cluster.kinds import POD
from okd_payload.controller.model import RunState
from okd_payload.controller.verification.runners.container import ContainerRunner
from okd_payload.controller.verification.runners.container.pod import CONTAINER
from okd_payload.errors import ClusterError
from okd_payload.testing.kubernetes import MemoryCluster

NAME = "4.20.0-0.test-2026-01-02-030405-e2e"
SETTINGS = {"image": "quay.test/e2e:1", "memory": "512"}
_RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


@pytest.fixture
def cluster(rig: Rig) -> MemoryCluster:
    """A cluster that the controller knows."""
    made = MemoryCluster("ci")
    rig.surroundings = msgspec.structs.replace(rig.surroundings, cluster=made)
    return made


async def say(cluster: MemoryCluster, phase: str, **status: object) -> None:
    """The kubelet says how the pod is."""
    pod = msgspec.json.decode(await cluster.get(POD, NAME))
    pod["status"] = {"phase": phase, **status}
    cluster.simulated.put(POD, pod, namespace="ci")


def terminated(code: int) -> dict[str, object]:
    """The container has ended with ``code``."""
    state = {"terminated": {"exitCode": code, "reason": "Completed"}}
    return {"containerStatuses": [{"name": CONTAINER, "state": state}]}


async def test_a_pod_has_the_contract_and_no_rights(
    rig: Rig, cluster: MemoryCluster, make_context: MakeContext
) -> None:
    """It is made once, and may not be more than it needs to be."""
    runner = ContainerRunner(rig.surroundings)
    context = make_context("container", settings=SETTINGS, arguments=("e2e", "--all"))
    update = await runner.start(context)
    assert (update.state, update.handle) == (RunState.RUNNING, f"ci/{NAME}")
    assert await runner.start(context) == update
    spec = msgspec.json.decode(await cluster.get(POD, NAME))["spec"]
    (container,) = spec["containers"]
    variables = {each["name"]: each["value"] for each in container["env"]}
    assert container["command"][-2:] == ["e2e", "--all"]
    assert "RELEASE_IMAGE_LATEST" in variables["OKD_PAYLOAD_VARIABLES"].split()
    assert spec["activeDeadlineSeconds"] == 4 * 3600 - 60
    assert variables["RELEASE_IMAGE_LATEST"] == context.release.pull_spec
    assert variables["ARTIFACT_DIR"] == "/artifacts"
    assert container["resources"]["limits"]["memory"] == "512Mi"
    assert spec["automountServiceAccountToken"] is False
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert "PATH" not in variables


@pytest.mark.parametrize("level", ["restricted", "baseline"])
async def test_a_pod_is_admitted_where_pods_are_restricted(
    rig: Rig, cluster: MemoryCluster, make_context: MakeContext, level: str
) -> None:
    """As long as its stream does not say that its image has to be root; then one level below."""
    cluster.simulated.add_namespace("strict", _RESTRICTED)
    runner = ContainerRunner(rig.surroundings)
    settings = {**SETTINGS, "namespace": "strict", "podSecurity": level}
    context = make_context("container", settings=settings, arguments=("e2e",))
    if level == "restricted":
        assert (await runner.start(context)).handle == f"strict/{NAME}"
        spec = msgspec.json.decode(await cluster.get(POD, NAME, namespace="strict"))["spec"]
        assert "runAsUser" not in spec["securityContext"]
    else:
        with pytest.raises(ClusterError, match="runAsNonRoot != true"):
            await runner.start(context)


@pytest.mark.parametrize(
    ("phase", "status", "expected"),
    [
        ("Succeeded", terminated(0), (RunState.SUCCEEDED, "")),
        ("Failed", terminated(2), (RunState.FAILED, "exit code 2: it broke")),
        ("Failed", terminated(127), (RunState.ERROR, "exit code 127: it broke")),
        (
            "Failed",
            {"reason": "Evicted", "message": "disk pressure"},
            (RunState.ERROR, "Evicted: disk pressure"),
        ),
        (
            "Pending",
            {
                "containerStatuses": [
                    {"name": CONTAINER, "state": {"waiting": {"reason": "ImagePullBackOff"}}}
                ]
            },
            (RunState.RUNNING, "ImagePullBackOff"),
        ),
        (
            "Pending",
            {
                "conditions": [
                    {"type": "PodScheduled", "status": "False", "message": "0 of 3 nodes fit"}
                ]
            },
            (RunState.RUNNING, "0 of 3 nodes fit"),
        ),
        (
            "Pending",
            {
                "containerStatuses": [
                    {"name": CONTAINER, "state": {"waiting": {"reason": "InvalidImageName"}}}
                ]
            },
            (RunState.ERROR, "InvalidImageName"),
        ),
        (
            "Failed",
            {
                "containerStatuses": [
                    {
                        "name": CONTAINER,
                        "state": {
                            "terminated": {
                                "exitCode": 128,
                                "reason": "StartError",
                                "message": "/bin/sh: no such file",
                            }
                        },
                    }
                ]
            },
            (RunState.ERROR, "StartError: /bin/sh: no such file"),
        ),
    ],
)
async def test_the_pods_end_is_the_verdict(
    rig: Rig,
    cluster: MemoryCluster,
    make_context: MakeContext,
    phase: str,
    status: dict[str, object],
    expected: tuple[RunState, str],
) -> None:
    """What is not the program's fault says nothing of the release."""
    runner = ContainerRunner(rig.surroundings)
    context = make_context("container", settings=SETTINGS, arguments=("e2e",))
    context = noted(context, await runner.start(context))
    pod = msgspec.json.decode(await cluster.get(POD, NAME))
    cluster.simulated.state.logs.append(pod, CONTAINER, "it broke\n")
    await say(cluster, phase, **status)
    update = await runner.poll(context)
    assert (update.state, update.message) == expected
    if phase != "Pending" and "containerStatuses" in status:
        assert "it broke" in (context.folder / update.log).read_text()


async def test_an_image_that_cannot_be_pulled_is_waited_for_and_not_for_ever(
    rig: Rig, cluster: MemoryCluster, make_context: MakeContext
) -> None:
    """Ten minutes, not the hours that the run may take; then the pod goes."""
    runner = ContainerRunner(rig.surroundings)
    context = make_context("container", settings=SETTINGS, arguments=("e2e",))
    context = noted(context, await runner.start(context))
    run = msgspec.structs.replace(context.run, started=rig.clock.now())
    context = msgspec.structs.replace(context, run=run)
    state = {"waiting": {"reason": "ImagePullBackOff", "message": "no such tag"}}
    await say(cluster, "Pending", containerStatuses=[{"name": CONTAINER, "state": state}])
    rig.clock.advance(599)
    assert (await runner.poll(context)).state is RunState.RUNNING
    rig.clock.advance(2)
    update = await runner.poll(context)
    assert (update.state, update.message) == (RunState.ERROR, "ImagePullBackOff no such tag")
    assert "was deleted" in (await runner.poll(context)).message


def run_as_the_kubelet_does(pod: dict[str, Any], folder: Path) -> tuple[int, str]:
    """Exit code and log of the pod's container, on this machine."""
    (container,) = pod["spec"]["containers"]
    given = {each["name"]: each["value"] for each in container["env"]}
    environment = {**given, "PATH": os.environ["PATH"], "ARTIFACT_DIR": str(folder)}
    ended = subprocess.run(
        container["command"],
        env={**environment, "TMPDIR": str(folder.parent)},
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    return ended.returncode, ended.stdout.decode()


@pytest.mark.parametrize("code", [0, 3])
async def test_what_a_pod_leaves_is_kept(
    rig: Rig, cluster: MemoryCluster, make_context: MakeContext, tmp_path: Path, code: int
) -> None:
    """Its program ends as it would have, and tests that failed are named."""
    results = '<testsuite><testcase name="boots"/><testcase name="updates"><failure/></testcase>'
    script = f"echo testing $JOB_NAME; echo '{results}</testsuite>' > $ARTIFACT_DIR/junit.xml"
    command = ("/bin/sh", "-c", f"{script}; exit {code}")
    runner = ContainerRunner(rig.surroundings)
    context = make_context("container", settings=SETTINGS, arguments=command)
    context = noted(context, await runner.start(context))
    pod = msgspec.json.decode(await cluster.get(POD, NAME))
    folder = tmp_path / "left/artifacts"
    folder.mkdir(parents=True)
    ended, log = await asyncio.to_thread(run_as_the_kubelet_does, pod, folder)
    assert ended == code
    cluster.simulated.state.logs.append(pod, CONTAINER, log)
    await say(cluster, "Failed" if code else "Succeeded", **terminated(code))
    update = await runner.poll(context)
    assert update.state is (RunState.FAILED if code else RunState.SUCCEEDED)
    assert update.message == ("failed: updates" if code else "")
    assert update.artifacts == ("artifacts/junit.xml",)
    assert (context.folder / update.log).read_text().splitlines()[1:] == [
        "testing e2e",
        "",
        "[artifacts kept: 1]",
    ]
    assert await runner.poll(context) == update


async def test_an_image_without_a_shell_is_started_as_it_is(
    rig: Rig, cluster: MemoryCluster, make_context: MakeContext
) -> None:
    """When its stream says so, or names no command."""
    runner = ContainerRunner(rig.surroundings)
    context = make_context(
        "container", settings={**SETTINGS, "artifacts": "none"}, arguments=("e2e",)
    )
    await runner.start(context)
    (container,) = msgspec.json.decode(await cluster.get(POD, NAME))["spec"]["containers"]
    assert container["command"] == ["e2e"]


async def test_a_pod_is_deleted_when_nobody_needs_it(
    rig: Rig, cluster: MemoryCluster, make_context: MakeContext
) -> None:
    """Then it is gone, which is no verdict."""
    runner = ContainerRunner(rig.surroundings)
    context = make_context("container", settings=SETTINGS, arguments=("e2e",))
    await runner.cancel(context)
    context = noted(context, await runner.start(context))
    await runner.cancel(context)
    assert (await runner.poll(context)).state is RunState.ERROR


@pytest.mark.integration
async def test_buildah_runs_the_image(rig: Rig, make_context: MakeContext, tmp_path: Path) -> None:
    """On this machine, with the contract, its artifacts and its exit code; nothing is left."""
    from okd_payload.process import run as run_program

    folder = tmp_path / "image"
    (folder / "bin").mkdir(parents=True)
    busybox = shutil.which("busybox")
    if busybox is None:
        pytest.skip("needs a static shell: busybox")
    shutil.copy(busybox, folder / "bin/sh")
    storage = tmp_path / "storage.conf"
    storage.write_text(
        f'[storage]\ndriver = "vfs"\ngraphroot = "{tmp_path}/graph"\nrunroot = "{tmp_path}/run"\n'
        f'rootless_storage_path = "{tmp_path}/graph"\n'
    )
    environment = {"CONTAINERS_STORAGE_CONF": str(storage)}
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY bin /bin\n")
    build = ("buildah", "build", "--isolation", "chroot", "--tag", "localhost/e2e:1", str(folder))
    built = await run_program(build, environment=environment)
    assert built.code == 0, built.errors
    script = "echo $JOB_NAME $EXTRA; echo made > $ARTIFACT_DIR/made; exit 4"
    context = make_context(
        "container",
        settings={"image": "localhost/e2e:1"},
        arguments=("/bin/sh", "-c", script),
        environment={"EXTRA": "two words"},
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONTAINERS_STORAGE_CONF", str(storage))
        runner = ContainerRunner(rig.surroundings)
        update = await until_ended(runner, noted(context, await runner.start(context)))
    log = (context.folder / update.log).read_text()
    assert (update.state, update.message) == (RunState.FAILED, "exit code 4: e2e two words"), log
    assert update.artifacts == ("artifacts/made",)
    left = await run_program(("buildah", "containers", "-q"), environment=environment)
    assert left.output == b""
