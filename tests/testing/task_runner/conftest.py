# SPDX-License-Identifier: Apache-2.0
"""A runner whose only image is busybox."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from busybox_images import BusyboxImages

from okd_payload.testing.task_runner.model import TaskRun, decode_task_run
from okd_payload.testing.task_runner.runner import TaskRunner


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root file system with busybox and two users."""
    busybox = shutil.which("busybox")
    if busybox is None or os.geteuid() != 0:
        pytest.skip("root and a static busybox are needed: make setup")
    folder = tmp_path_factory.mktemp("busybox")
    for name in ("bin", "etc", "tmp"):
        (folder / name).mkdir()
    shutil.copy(busybox, folder / "bin" / "busybox")
    subprocess.run([folder / "bin" / "busybox", "--install", "-s", folder / "bin"], check=True)
    for path in (folder / "bin").iterdir():
        if path.is_symlink():
            path.unlink()
            path.symlink_to("busybox")
    (folder / "etc" / "passwd").write_text("root:x:0:0::/:/bin/sh\nuser:x:1000:1000::/:/bin/sh\n")
    (folder / "tmp").chmod(0o1777)
    folder.chmod(0o755)
    return folder


def leftovers(folder: Path) -> list[str]:
    """What should not be there any more: mounts, and files of runs."""
    mounts = [
        line for line in Path("/proc/mounts").read_text().splitlines() if f"{folder}/" in line
    ]
    return [*mounts, *map(str, folder.glob("runs/*"))]


@pytest.fixture
async def runner(root: Path, tmp_path: Path) -> AsyncIterator[TaskRunner]:
    """The runner; nothing of it is left afterwards."""
    async with TaskRunner(BusyboxImages(root), folder=tmp_path / "runs") as runner:
        yield runner
    assert leftovers(tmp_path) == []


@pytest.fixture
def make_run() -> Callable[..., TaskRun]:
    """Makes a TaskRun of steps and whatever else its task and itself have."""

    def make(*steps: dict[str, Any], task: dict[str, Any] | None = None, **spec: Any) -> TaskRun:
        named = [
            {"name": f"s{number}", "image": "busybox", **it} for number, it in enumerate(steps)
        ]
        document = {
            "metadata": {"name": "one"},
            "spec": {"taskSpec": {"steps": named, **(task or {})}, **spec},
        }
        return decode_task_run(msgspec.json.encode(document))

    return make
