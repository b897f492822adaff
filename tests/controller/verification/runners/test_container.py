# SPDX-License-Identifier: Apache-2.0
"""Containers: pods where a cluster is known, buildah on this machine."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest
from rig import Rig
from runners_rig import MakeContext, noted, until_ended

from okd_payload.cluster.kinds import POD
from okd_payload.controller.model import RunState
from okd_payload.controller.verification.runners.container import CONTAINER, ContainerRunner
from okd_payload.testing.kubernetes import MemoryCluster

NAME = "4.20.0-0.test-2026-01-02-030405-e2e"
SETTINGS = {"image": "quay.test/e2e:1", "memory": "512"}


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
    assert container["command"] == ["e2e", "--all"]
    assert variables["RELEASE_IMAGE_LATEST"] == context.release.pull_spec
    assert variables["ARTIFACT_DIR"] == "/artifacts"
    assert container["resources"]["limits"]["memory"] == "512Mi"
    assert spec["automountServiceAccountToken"] is False
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert "PATH" not in variables


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
    if update.state.is_final and "containerStatuses" in status:
        assert "it broke" in (context.folder / update.log).read_text()


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
