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
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

import msgspec

from okd_payload.catalog.component import Resources
from okd_payload.errors import InputError

CONTROL_GROUPS = Path("/sys/fs/cgroup")
_OWN_GROUPS = Path("/proc/self/cgroup")
_PREFIX = "okd-payload-{}"
_PERIOD = 100_000
_QUANTITY = re.compile(r"(?P<number>\d+(\.\d+)?([eE]\d+)?)(?P<unit>m|k|Ki|[MGTPE]i?)?")
_POWERS = {"k": 1, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}
_ENTER = 'while [ "$1" != -- ]; do echo 0 >"$1" || exit 125; shift; done; shift; exec "$@"'


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The most that one build may use; 0 is as much as there is."""

    cpus: float = 0.0
    memory: int = 0

    @classmethod
    def of(cls, resources: Resources) -> Self:
        """The limits among ``resources``. Raises InputError."""
        return cls(
            cpus=parse_quantity(resources.cpu_limit),
            memory=int(parse_quantity(resources.memory_limit)),
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


def parse_quantity(text: str) -> float:
    """A Kubernetes quantity as a number, 0 when it is empty. Raises InputError."""
    if not text:
        return 0.0
    matched = _QUANTITY.fullmatch(text)
    if matched is None:
        raise InputError(f"{text!r} is not a quantity", hint="write it as in 500m, 4 or 8Gi")
    number, unit = float(matched["number"]), matched["unit"] or ""
    if unit in ("", "m"):
        return number / 1000 if unit else number
    return number * float((1024 if unit.endswith("i") else 1000) ** _POWERS[unit[0]])


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
