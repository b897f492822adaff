# SPDX-License-Identifier: Apache-2.0
"""Runs a step that never ends, until somebody kills this program: ``killed_run.py ROOT FOLDER``."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from busybox_images import BusyboxImages

from okd_payload.testing.task_runner.model import decode_task_run
from okd_payload.testing.task_runner.runner import TaskRunner

_RUN = b"""{"metadata": {"name": "one"}, "spec": {"taskSpec": {"steps": [
  {"name": "s", "image": "x",
   "script": "echo begun > /workspace/begun; sleep 600 & sleep 600"}]}}}"""


async def main() -> None:
    """Wait for the end."""
    root, folder = map(Path, sys.argv[1:])
    async with TaskRunner(BusyboxImages(root), folder=folder) as runner:
        await runner.run(decode_task_run(_RUN))


asyncio.run(main())
