# SPDX-License-Identifier: Apache-2.0
"""The tool's own image, built by the tool as `make image` does, and steps that run in it."""

from __future__ import annotations

import shutil
from pathlib import Path

from real_program import Program

from okd_payload.oci.layout import LayoutRepository
from okd_payload.oci.reference import Reference
from okd_payload.oci.repository import Repository
from okd_payload.testing.task_runner.roots import ImageRoots

ROOT = Path(__file__).resolve().parents[3]
NAME = "registry.test/okd-payload/okd-payload"
_PARTS = ("images", "requirements", "src/okd_payload")


class ToolImage:
    """The image in the layout of the one who built it."""

    def __init__(self, program: Program, digest: str) -> None:
        self.program = program
        self.digest = digest
        self.pull_spec = f"{NAME}@{digest}"
        self.repository = LayoutRepository(program.images("okd-payload"))

    def roots(self) -> ImageRoots:
        """Its root file system, unpacked once for all tests."""
        return ImageRoots(self.program.home / "roots", self._open)

    async def _open(self, reference: Reference) -> Repository:
        assert reference.repository == NAME
        return self.repository


def copy_repository(folder: Path) -> Path:
    """What of this repository is in the image, where nobody changes it meanwhile."""
    for part in _PARTS:
        shutil.copytree(
            ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
        )
    return folder


def build_tool(program: Program, repository: Path) -> str:
    """The digest of the image that ``program`` builds of ``repository``."""
    printed = program.build(repository / "images" / "okd-payload")
    (digest,) = (item["digest"] for item in printed["components"] if item["name"] == "okd-payload")
    assert printed["release"] is None
    return str(digest)
