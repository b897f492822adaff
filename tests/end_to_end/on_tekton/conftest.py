# SPDX-License-Identifier: Apache-2.0
"""The tool's image, once for all tests and all their processes, and a cluster to run it in."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from real_program import EXAMPLE, Program
from tool_image import ToolImage, build_tool, copy_repository

from okd_payload.oci.layout.files import locked
from okd_payload.testing.task_runner.local_cluster import LocalCluster
from okd_payload.testing.task_runner.runner import TaskRunner

NEEDED = ("buildah", "busybox", "git", "mmdebstrap", "unshare")


@pytest.fixture(scope="session")
def tool(tmp_path_factory: pytest.TempPathFactory) -> ToolImage:
    """The tool's image; whichever process of this test run comes first builds it."""
    if os.geteuid() != 0:
        pytest.skip("steps can be run by root only")
    for name in NEEDED:
        if shutil.which(name) is None:
            pytest.skip(f"{name} is needed: make setup")
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    home, digest = folder / "tool", folder / "tool-digest"
    program = Program(home)
    with locked(folder / "tool.lock"):
        if not digest.is_file():
            digest.write_text(build_tool(program, copy_repository(folder / "repository")))
    return ToolImage(program, digest.read_text())


@pytest.fixture
async def cluster(tool: ToolImage, tmp_path: Path) -> AsyncIterator[LocalCluster]:
    """A cluster whose steps run in the tool's image."""
    async with (
        TaskRunner(tool.roots(), folder=tmp_path / "pods") as runner,
        LocalCluster(runner, folder=tmp_path / "cluster") as cluster,
    ):
        yield cluster
    assert not (tmp_path / "pods").exists()


@pytest.fixture
def stream(tmp_path: Path, docker_registry: str) -> Path:
    """The quickstart stream, published to repositories of this test alone."""
    folder = shutil.copytree(EXAMPLE, tmp_path / "quickstart")
    file = folder / "stream.yaml"
    own = f"{docker_registry}/{tmp_path.name.replace('_', '-')}/"
    file.write_text(file.read_text().replace("registry.example.org/", own))
    return folder
