# SPDX-License-Identifier: Apache-2.0
"""Limits of one build: quantities, and control groups in both versions of their interface."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from okd_payload.catalog.component import Resources
from okd_payload.engines.buildah.limits import (
    CONTROL_GROUPS,
    Limits,
    limited,
    remove_groups,
)


def test_only_limits_count() -> None:
    """Requests are for schedulers of clusters."""
    resources = Resources(cpu_request="1", cpu_limit="2", memory_request="1Gi", memory_limit="1Mi")

    assert Limits.of(resources) == Limits(cpus=2, memory=1024 * 1024)


def test_without_limits_nothing_is_made(tmp_path) -> None:
    """A command without limits runs as it is."""
    with limited(Limits(), "build", root=tmp_path) as group:
        assert group.wrap(["buildah"]) == ["buildah"]
        assert group.notice == ""


def test_version_2_has_one_group(tmp_path) -> None:
    """Memory and processor limits are files of one folder, which goes when the build ends."""
    (tmp_path / "cgroup.controllers").touch()
    folder = group_beside_ours(tmp_path) / "okd-payload-build"
    for name in ("memory.max", "cpu.max", "cgroup.procs"):
        file(folder / name)

    with limited(Limits(cpus=1.5, memory=4096), "build", root=tmp_path) as group:
        assert group.folders == (folder,)
        assert (folder / "memory.max").read_text() == "4096"
        assert (folder / "cpu.max").read_text() == "150000 100000"
        subprocess.run(group.wrap(["true"]), check=True)

    assert (folder / "cgroup.procs").read_text() == "0\n"


def test_version_1_has_a_group_for_each_resource(tmp_path) -> None:
    """Memory and processor limits are in two hierarchies."""
    memory, cpu = (tmp_path / name / "okd-payload-build" for name in ("memory", "cpu"))
    for name in ("cpu.cfs_period_us", "cpu.cfs_quota_us"):
        file(cpu / name)
    file(memory / "memory.limit_in_bytes")

    with limited(Limits(cpus=2, memory=4096), "build", root=tmp_path) as group:
        assert group.folders == (memory, cpu)
        assert (memory / "memory.limit_in_bytes").read_text() == "4096"
        assert (cpu / "cpu.cfs_quota_us").read_text() == "200000"


def test_where_no_group_can_be_made_the_build_runs_without(tmp_path) -> None:
    """The reason is said, and half of the limits are none."""
    file(tmp_path / "memory" / "okd-payload-build" / "memory.limit_in_bytes")

    with limited(Limits(cpus=2, memory=4096), "build", root=tmp_path) as group:
        assert group.wrap(["buildah"]) == ["buildah"]
        assert group.notice.startswith("resource limits are not applied: ")


@pytest.mark.integration
def test_the_kernel_applies_the_limits() -> None:
    """A limited command is in the group, and the group is gone afterwards."""
    with limited(Limits(cpus=1, memory=64 * 1024 * 1024), "test-limits") as group:
        if group.notice:
            pytest.skip(group.notice)
        command = group.wrap(["cat", "/proc/self/cgroup"])
        seen = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert "/okd-payload-test-limits" in seen
    assert not [folder for folder in group.folders if folder.exists()]


@pytest.mark.integration
def test_groups_of_killed_runs_are_removed() -> None:
    """Whoever finds a dead workspace removes its groups by name."""
    folder = CONTROL_GROUPS / "memory" / "okd-payload-test-killed"
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("no control group can be made here")

    remove_groups("test-killed")

    assert not folder.exists()


def group_beside_ours(root: Path) -> Path:
    """Where our own group's neighbours are, below ``root``."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        if line.startswith("0::") and line != "0::/":
            return (root / line.removeprefix("0::/")).parent
    return root


def file(path: Path) -> None:
    """An empty file, in folders that exist afterwards."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
