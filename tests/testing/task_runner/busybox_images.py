# SPDX-License-Identifier: Apache-2.0
"""Images that are all the same folder."""

from __future__ import annotations

from pathlib import Path

from okd_payload.oci.config import ContainerConfig
from okd_payload.testing.task_runner.roots import ImageRoot


class BusyboxImages:
    """Gives ``root`` for every pull spec."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def bring(self, _: str) -> ImageRoot:
        config = ContainerConfig(env=("FROM_IMAGE=yes", "PATH=/bin"), entrypoint=("echo", "entry"))
        return ImageRoot(self._root, config)
