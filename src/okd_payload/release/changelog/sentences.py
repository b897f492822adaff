# SPDX-License-Identifier: Apache-2.0
"""What a changelog says in sentences, the same in every layout."""

from __future__ import annotations

from collections.abc import Iterator

from okd_payload.release.changelog.model import UpdatedSource, VersionChange


def describe_version(item: VersionChange) -> str:
    """How the version of a component changed, in words."""
    if not item.before:
        return f"{item.name} {item.after} was added"
    if not item.after:
        return f"{item.name} {item.before} is no longer reported"
    return f"{item.name} went from {item.before} to {item.after}"


def remarks_about(updated: UpdatedSource) -> Iterator[str]:
    """What is to be known about a repository besides its changes, sentence by sentence."""
    if updated.problem:
        yield f"Its history could not be read: {updated.problem}"
    if updated.gone:
        yield (
            f"Its history was rewritten: the commit {updated.gone} is not there any more,"
            " so what changed is not known"
        )
    if updated.left_behind:
        yield (
            f"Its history was rewritten: {_count(updated.left_behind)} of the older release"
            " did not come along"
        )
    if updated.elided:
        yield f"And {_count(updated.elided, 'elided ')} (e.g. from squash or rebase merges)"


def _count(number: int, kind: str = "") -> str:
    return f"{number} {kind}{'commit' if number == 1 else 'commits'}"
