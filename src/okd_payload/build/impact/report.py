# SPDX-License-Identifier: Apache-2.0
"""The impact of a change: who was reached and why, what compiles, and what a release gets by it.

Before a build it says what would be done; after it, how each component ended, with the first
error of those that failed.
"""

from __future__ import annotations

import enum
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from okd_payload.build.impact.first_error import find_first_error
from okd_payload.build.impact.reach import LeftOut, Reached, Reason
from okd_payload.build.records import Action, ComponentRecord, RunRecord
from okd_payload.release.load import Release
from okd_payload.release.report.difference import ManifestDifference, find_difference

if TYPE_CHECKING:  # loads what vendors changed modules, for builds without a change too
    from okd_payload.build.impact.prepare import Prepared


class Fate(enum.Enum):
    """What became of a component that a change reaches."""

    PLANNED = "planned"
    BUILT = "built"
    REUSED = "reused"
    """It was built with exactly this change before."""
    FAILED = "failed"
    SKIPPED = "skipped"
    CONFLICT = "conflict"
    """It cannot have the change; its image stays as it was."""


class ChangedSource(msgspec.Struct, frozen=True, kw_only=True):
    """A change: where it is, and what others depend on."""

    repository: str
    source: str
    commit: str
    message: str
    dirty: bool
    modules: tuple[str, ...]


class ComponentImpact(msgspec.Struct, frozen=True, kw_only=True):
    """What a change is for one component."""

    name: str
    tag: str
    fate: Fate
    distance: int | None
    """Steps from the change; None when it conflicts with it."""
    reasons: tuple[Reason, ...] = ()
    packages: tuple[str, ...] = ()
    error: str = ""
    """The first error of its build, or what conflicts."""
    hint: str = ""
    notes: tuple[str, ...] = ()


class Impact(msgspec.Struct, frozen=True, kw_only=True):
    """The impact of a change set."""

    changes: tuple[ChangedSource, ...]
    components: tuple[ComponentImpact, ...]
    left_out: tuple[LeftOut, ...]
    """Named with the change or reached by it, and not built with it."""
    compared_with: str = ""
    """The release whose manifests were compared; empty when there was none."""
    manifests: tuple[ManifestDifference, ...] = ()

    @property
    def broken(self) -> tuple[ComponentImpact, ...]:
        """The components that cannot be had with the change."""
        ended_badly = (Fate.FAILED, Fate.SKIPPED, Fate.CONFLICT)
        return tuple(item for item in self.components if item.fate in ended_badly)


def describe_plan(prepared: Prepared) -> Impact:
    """The impact as far as it is known before anything is built."""
    planned = [_describe(item, prepared, fate=Fate.PLANNED) for item in prepared.reach.reached]
    return _make(prepared, planned)


def describe_run(prepared: Prepared, record: RunRecord, folder: Path) -> Impact:
    """The impact after the run ``record``, whose logs are below ``folder``."""
    records = {item.tag: item for item in record.components}
    return _make(
        prepared,
        [_ended(item, prepared, records.get(item.tag), folder) for item in prepared.reach.reached],
    )


def with_manifests(impact: Impact, before: Release, after: Release) -> Impact:
    """``impact`` with the manifests in which ``after`` differs from ``before``."""
    difference = find_difference(before, after)
    return msgspec.structs.replace(
        impact,
        compared_with=f"{difference.before.name} {difference.before.digest}".strip(),
        manifests=difference.manifests,
    )


def _make(prepared: Prepared, reached: list[ComponentImpact]) -> Impact:
    conflicting = {item.tag for item in prepared.conflicts}
    conflicts = [
        ComponentImpact(
            name=item.name,
            tag=item.tag,
            fate=Fate.CONFLICT,
            distance=None,
            reasons=item.reasons,
            error=item.reason,
            hint=item.hint,
        )
        for item in prepared.conflicts
    ]
    return Impact(
        changes=tuple(
            ChangedSource(
                repository=item.change.repository,
                source=str(item.change.source),
                commit=item.commit.id,
                message=item.commit.message,
                dirty=item.commit.dirty,
                modules=tuple(module.path for module in item.modules),
            )
            for item in prepared.changed
        ),
        components=(*reached, *conflicts),
        left_out=tuple(it for it in prepared.reach.left_out if it.tag not in conflicting),
    )


def _ended(
    item: Reached, prepared: Prepared, record: ComponentRecord | None, folder: Path
) -> ComponentImpact:
    if record is None:
        return _describe(item, prepared, fate=Fate.SKIPPED)
    fates = {
        Action.BUILT: Fate.BUILT,
        Action.REUSED: Fate.REUSED,
        Action.FAILED: Fate.FAILED,
        Action.SKIPPED: Fate.SKIPPED,
    }
    fate = fates.get(record.action, Fate.REUSED)
    described = _describe(item, prepared, fate=fate)
    if fate is Fate.FAILED:
        first = find_first_error(folder / record.log) if record.log else ""
        error = first or record.reason.partition("\n")[0]
        return msgspec.structs.replace(described, error=error, hint=record.hint)
    error = record.reason if fate is Fate.SKIPPED else ""
    return msgspec.structs.replace(described, error=error)


def _describe(item: Reached, prepared: Prepared, *, fate: Fate) -> ComponentImpact:
    return ComponentImpact(
        name=item.name,
        tag=item.tag,
        fate=fate,
        distance=item.distance,
        reasons=item.reasons,
        packages=item.packages,
        notes=prepared.notes.get(item.tag, ()),
    )
