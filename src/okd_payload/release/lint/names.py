# SPDX-License-Identifier: Apache-2.0
"""What the names of files say to the cluster, and whether it is what they mean.

The order of an update comes out of names alone: ``0000_<run level>_<component>_<rest>``. What
does not read like that is applied at its place in the order of bytes, after everything before
it, and holds up whatever follows.
"""

from __future__ import annotations

from collections.abc import Iterator

from okd_payload.issues import Issue
from okd_payload.release import codes as release_codes
from okd_payload.release.lint import codes
from okd_payload.release.lint.subject import CheckedFile, Subject
from okd_payload.release.naming import PLACED, run_level_of

_DIGITS = 2
_ASSIGNED = (range(6), range(7, 40), range(50, 71), range(80, 81), range(90, 91))
"""What the operator's developer guide assigns, and 70 (DNS, network), 80 (machine config) and 90
(what is to come last), which every release has used for years."""


def check_names(subject: Subject) -> Iterator[Issue]:
    """Names that cannot be read, and run levels that do not sort by their number."""
    for file in subject.files:
        placed = run_level_of(file.name)
        if placed is None:
            yield codes.UNPARSABLE_FILE_NAME.issue(
                "the name is not 0000_RUNLEVEL_COMPONENT_REST, so nothing is applied beside it",
                file=file.name,
                hint="components are letters, digits and single dashes, with _ behind them",
            )
        elif len(placed.level) != _DIGITS:
            yield codes.UNSORTED_RUN_LEVEL.issue(
                f"run level {placed.level} sorts as text, between others of two digits",
                file=file.name,
                hint="write run levels with two digits",
            )


def check_folders(subject: Subject) -> Iterator[Issue]:
    """Manifests in folders, where the cluster does not look."""
    for name in subject.content.manifests:
        if "/" in name:
            yield release_codes.UNREACHABLE_MANIFEST.issue(
                "the cluster does not look into folders of the payload",
                file=name,
                hint="give the tag of the operator a name without /",
            )


def check_run_levels(subject: Subject) -> Iterator[Issue]:
    """Run levels that were assigned to nobody, once for each component."""
    found: dict[tuple[str, str], CheckedFile] = {}
    for file in subject.files:
        placed = run_level_of(file.name)
        if placed and len(placed.level) == _DIGITS:
            found.setdefault((placed.level, placed.component), file)
    for (level, component), file in found.items():
        if not any(int(level) in assigned for assigned in _ASSIGNED):
            yield codes.UNASSIGNED_RUN_LEVEL.issue(
                f"{component} uses run level {level}, which was assigned to nobody",
                file=file.name,
                hint="name files without 0000_ to get run level 50, or choose one of a range",
            )


def check_component_names(subject: Subject) -> Iterator[Issue]:
    """Tags of which the cluster reads only a part as the component, once for each."""
    cut = [tag.name for tag in subject.tags if "_" in tag.name]
    for tag in cut:
        for file in subject.files:
            placed = run_level_of(file.name)
            if placed and file.name.startswith(f"{PLACED}{placed.level}_{tag}_"):
                yield codes.CUT_COMPONENT_NAME.issue(
                    f"the cluster takes {placed.component} for the component of {tag}",
                    component=tag,
                    file=file.name,
                    hint="it orders updates by that; use dashes in the tag instead",
                )
                break
