# SPDX-License-Identifier: Apache-2.0
"""Processor and memory limits of one build, by a control group around buildah.

Buildah's own options for this do nothing with chroot isolation. So a group is made beside ours,
buildah is started in it, and everything below stays in it. Groups can be made by root, and by
users to whom systemd has delegated a part of the hierarchy; elsewhere the build runs without
limits and its log says so. Both versions of the interface are spoken (cgroups(7)).

Requests are for schedulers of clusters; here ``--jobs`` decides how much runs at once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

import msgspec

from okd_payload.catalog.component import Resources
from okd_payload.engines.quantities import size_of

CONTROL_GROUPS = Path("/sys/fs/cgroup")
_OWN_GROUPS = Path("/proc/self/cgroup")
_PREFIX = "okd-payload-{}"
_PERIOD = 100_000
_ENTER = 'while [ "$1" != -- ]; do echo 0 >"$1" || exit 125; shift; done; shift; exec "$@"'


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The most that one build may use; 0 is as much as there is."""

    cpus: float = 0.0
    memory: int = 0

    @classmethod
    def of(cls, resources: Resources) -> Self:
        """The limits among ``resources``. Raises InputError."""
        return cls(
            cpus=size_of(resources.cpu_limit or "0"),
            memory=int(size_of(resources.memory_limit or "0")),
        )


class Group(msgspec.Struct, frozen=True):
    """Where a limited command is started, and what there is to say about it."""

    folders: tuple[Path, ...] = ()
    notice: str = ""

    def wrap(self, command: Sequence[str]) -> list[str]:
        """``command``, entering the group first."""
        if not self.folders:
            return list(command)
        entrances = [str(folder / "cgroup.procs") for folder in self.folders]
        return ["sh", "-c", _ENTER, "sh", *entrances, "--", *command]


@contextlib.contextmanager
def limited(limits: Limits, name: str, *, root: Path = CONTROL_GROUPS) -> Iterator[Group]:
    """A control group ``name`` with ``limits``, removed at the end; none where it cannot be."""
    if limits == Limits():
        yield Group()
        return
    folders: list[Path] = []
    try:
        for parent, settings in _settings(limits, root):
            folders.append(_make(parent / _PREFIX.format(name), settings))
    except OSError as error:
        _remove(folders)
        yield Group(notice=f"resource limits are not applied: {error}")
        return
    try:
        yield Group(tuple(folders))
    finally:
        _remove(folders)


def remove_groups(name: str, *, root: Path = CONTROL_GROUPS) -> None:
    """Remove the groups ``name`` that a killed run left; the kernel keeps those in use."""
    with contextlib.suppress(OSError):
        parents = (_parent_group(root), root / "memory", root / "cpu")
        _remove([parent / _PREFIX.format(name) for parent in parents])


def _settings(limits: Limits, root: Path) -> Iterator[tuple[Path, dict[str, int | str]]]:
    """The folder of each hierarchy to make a group in, and the files to write in the group."""
    quota = round(limits.cpus * _PERIOD)
    if (root / "cgroup.controllers").exists():
        files: dict[str, int | str] = {}
        if limits.memory:
            files["memory.max"] = limits.memory
        if quota:
            files["cpu.max"] = f"{quota} {_PERIOD}"
        yield _parent_group(root), files
        return
    if limits.memory:
        yield root / "memory", {"memory.limit_in_bytes": limits.memory}
    if quota:
        yield root / "cpu", {"cpu.cfs_period_us": _PERIOD, "cpu.cfs_quota_us": quota}


def _parent_group(root: Path) -> Path:
    """Where groups can be made: beside our own, because one with processes has no children."""
    for line in _OWN_GROUPS.read_text(encoding="utf-8").splitlines():
        hierarchy, _, path = line.split(":", 2)
        if hierarchy == "0":
            return (root / path.lstrip("/")).parent if path != "/" else root
    return root


def _make(folder: Path, settings: dict[str, int | str]) -> Path:
    with contextlib.suppress(FileExistsError):
        folder.mkdir()
    for name, value in settings.items():
        with (folder / name).open("r+") as file:
            file.write(str(value))
    return folder


def _remove(folders: Sequence[Path]) -> None:
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()
