# SPDX-License-Identifier: Apache-2.0
"""Tools by the systems that they run on, as people look for theirs.

What a file is follows from its name, by the table that tools are taken out by; a file that the
table does not know is listed with the texts.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import msgspec

from okd_payload.release.extract.targets import Target, all_targets
from okd_payload.web.downloads.store import ToolFile

_SYSTEMS = {"linux": "Linux", "darwin": "macOS", "windows": "Windows"}
_TOOLS = {
    "oc": "oc and kubectl",
    "openshift-install": "openshift-install",
    "openshift-baremetal-install": "openshift-baremetal-install",
    "ccoctl": "ccoctl",
}
_FIPS = "openshift-install-fips"


class Download(msgspec.Struct, frozen=True, kw_only=True):
    """One archive, and for whom it is."""

    file: ToolFile
    tool: str
    architecture: str
    """Empty for that of the release."""
    built_for: str = ""
    """The system that its libraries are of, or the mode that it is for, where there is a choice."""


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """The archives for one system."""

    system: str
    downloads: tuple[Download, ...]


class Arranged(msgspec.Struct, frozen=True, kw_only=True):
    """All files of a release."""

    groups: tuple[Group, ...]
    texts: tuple[ToolFile, ...]


def arrange(files: Sequence[ToolFile]) -> Arranged:
    """``files`` by system, in the order in which people ask for them."""
    found: dict[str, list[Download]] = {system: [] for system in _SYSTEMS}
    texts = []
    for file in files:
        target = _target_of(file.name)
        if target is None:
            texts.append(file)
        else:
            found[target.system].append(_tell(file, target))
    order = list(_TOOLS.values())
    groups = tuple(
        Group(
            system=_SYSTEMS[system],
            downloads=tuple(
                sorted(
                    each, key=lambda one: (order.index(one.tool), one.architecture, one.built_for)
                )
            ),
        )
        for system, each in found.items()
        if each
    )
    return Arranged(groups=groups, texts=tuple(texts))


def _tell(file: ToolFile, target: Target) -> Download:
    command, _, system = target.command.partition(".")
    is_fips = command == _FIPS
    return Download(
        file=file,
        tool=_TOOLS["openshift-install" if is_fips else command],
        architecture=target.architecture,
        built_for="FIPS" if is_fips else system.replace("rhel", "RHEL "),
    )


def _target_of(name: str) -> Target | None:
    """The target whose archive is called like that: the most exact one of those that fit."""
    return next(
        (
            target
            for begin, end, target in _patterns()
            if name.startswith(begin) and name.endswith(end)
        ),
        None,
    )


@functools.cache
def _patterns() -> tuple[tuple[str, str, Target], ...]:
    parts = [(target.archive.partition("%s"), target) for target in all_targets()]
    found = [(begin, end, target) for (begin, _, end), target in parts]
    return tuple(sorted(found, key=lambda each: len(each[0]), reverse=True))
