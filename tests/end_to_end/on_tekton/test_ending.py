# SPDX-License-Identifier: Apache-2.0
"""A build in the tool's image that ends in the middle, and the one that goes on with it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import msgspec
import pytest
from real_program import Program
from tool_image import ToolImage

from okd_payload.engines.pod.objects import Capabilities, ContainerSecurity
from okd_payload.engines.pod.security import SecurityProfile, build_rights
from okd_payload.testing.task_runner.model import TaskRun, decode_task_run
from okd_payload.testing.task_runner.runner import TaskRunner
from okd_payload.testing.task_runner.volumes import Surroundings

pytestmark = [pytest.mark.debian, pytest.mark.integration, pytest.mark.slow]
RIGHTS = build_rights(SecurityProfile.CAPABILITIES).container


def make_run(tool: ToolImage, security: ContainerSecurity) -> TaskRun:
    """A build of the whole stream in one step, whose state outlives it."""
    step = {
        "name": "build",
        "image": tool.pull_spec,
        "command": ["okd-payload"],
        "args": ["build", "$(workspaces.stream.path)", "--state", "$(workspaces.state.path)"],
        "securityContext": msgspec.to_builtins(security),
    }
    claims = [
        {"name": name, "persistentVolumeClaim": {"claimName": name}} for name in ("stream", "state")
    ]
    spec = {"steps": [step], "workspaces": [{"name": "stream"}, {"name": "state"}]}
    document = {"metadata": {"name": "one"}, "spec": {"taskSpec": spec, "workspaces": claims}}
    return decode_task_run(msgspec.json.encode(document))


def is_mounted(folder: Path) -> bool:
    """Whether anything below ``folder`` is mounted."""
    return f"{folder}/" in Path("/proc/mounts").read_text()


def has_images(state: Path) -> bool:
    """Whether the build has made something."""
    return any(state.glob("streams/quickstart/images/blobs/sha256/*"))


async def test_a_build_that_was_ended_is_finished_by_the_next(
    tool: ToolImage, quickstart: Path, program: Program, tmp_path: Path
) -> None:
    """Nothing of the first runs on or is in the way; the payload is that of this machine."""
    here = program.build(quickstart)
    state = tmp_path / "state"
    state.mkdir()
    os.chown(state, 1000, 1000)
    claims = Surroundings(claims={"stream": quickstart, "state": state})
    folder = tmp_path / "pods"
    async with TaskRunner(tool.roots(), folder=folder, surroundings=claims) as runner:
        building = asyncio.create_task(runner.run(make_run(tool, RIGHTS)))
        async with asyncio.timeout(60):
            while not has_images(state):  # noqa: ASYNC110 - only files tell how far it has come
                await asyncio.sleep(0.1)
        building.cancel()
        with pytest.raises(asyncio.CancelledError):
            await building
        assert not is_mounted(folder)
        end = await runner.run(make_run(tool, RIGHTS))
        assert end.succeeded, end.log()
        assert here["release"]["digest"] in end.log()
    assert not folder.exists()


async def test_without_its_two_capabilities_a_build_fails(
    tool: ToolImage, quickstart: Path, tmp_path: Path
) -> None:
    """So neither is one too many: the first RUN says what it may not."""
    state = tmp_path / "state"
    state.mkdir()
    os.chown(state, 1000, 1000)
    claims = Surroundings(claims={"stream": quickstart, "state": state})
    security = msgspec.structs.replace(RIGHTS, capabilities=Capabilities(drop=("ALL",)))
    async with TaskRunner(tool.roots(), folder=tmp_path / "pods", surroundings=claims) as runner:
        end = await runner.run(make_run(tool, security))
        assert not end.succeeded
        assert "RUN" in end.log()
