# SPDX-License-Identifier: Apache-2.0
"""Layouts on disks of every kind."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from okd_payload.oci.layout import LayoutRepository

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def layout(tmp_path: Path) -> LayoutRepository:
    """A layout that nobody has written to."""
    return LayoutRepository(tmp_path / "layout")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 512 KiB; skipped where this user may not mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=512k", "okd-payload-test", disk]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting a small file system needs more rights")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)
