# SPDX-License-Identifier: Apache-2.0
"""In what a catalog differs from a release, as values: found, told, and then perhaps mended."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence

import msgspec

from okd_payload.build.sync import codes
from okd_payload.issues import Issue, IssueCode, Permit, Severity, apply_permits


class Kind(enum.Enum):
    """What kind of difference it is."""

    NEW = "new"
    REMOVED = "removed"
    RENAMED = "renamed"
    SOURCE = "source"
    CLASS = "class"


_CODES: dict[Kind, IssueCode] = {
    Kind.NEW: codes.UNDEFINED_IMAGE,
    Kind.REMOVED: codes.IMAGE_NOT_IN_RELEASE,
    Kind.RENAMED: codes.RENAMED_IMAGE,
    Kind.SOURCE: codes.MOVED_SOURCE,
    Kind.CLASS: codes.CHANGED_CLASS,
}


class Difference(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One difference, as ``-o json`` prints it."""

    kind: Kind
    tag: str
    """The tag in the release; of what is not in it, that of the stream."""
    component: str = ""
    """Its name in the catalog, where it has one."""
    before: str = ""
    after: str = ""
    evidence: str = ""
    """How it is known."""
    file: str = ""
    line: int = 0
    obstacle: str = ""
    """Why it cannot be mended here; empty when it can."""
    unread: bool = False
    """Whether the obstacle is a source that could not be read now."""
    permitted: str = ""
    """Why the stream accepts it; then it is not mended."""

    @property
    def is_of_lists(self) -> bool:
        """Whether the lists of images differ by it."""
        return _CODES[self.kind].severity is Severity.ERROR

    @property
    def is_open(self) -> bool:
        """Whether there is something to do about it."""
        return not self.permitted


def permit(differences: Iterable[Difference], permits: Sequence[Permit]) -> list[Difference]:
    """``differences`` with the reasons for which a stream accepts them."""
    found = []
    for each in differences:
        (issue,) = apply_permits([issue_of(each)], permits)
        reason = each.permitted or issue.permitted
        found.append(msgspec.structs.replace(each, permitted=reason))
    return found


def issue_of(difference: Difference) -> Issue:
    """``difference`` as an issue, which a stream may permit by its code."""
    return _CODES[difference.kind].issue(
        _sentence(difference),
        component=difference.component or difference.tag,
        file=difference.file,
        line=difference.line,
        hint=difference.obstacle,
    )


def _sentence(difference: Difference) -> str:
    told = f"{difference.before} is now {difference.after}"
    texts = {
        Kind.NEW: f"the release has an image {difference.tag} that the stream does not make",
        Kind.REMOVED: f"the release has no image {difference.tag}",
        Kind.RENAMED: f"the tag {told}",
        Kind.SOURCE: f"the source {told}",
        Kind.CLASS: f"the class {told}",
    }
    beside = f" ({difference.evidence})" if difference.evidence else ""
    return f"{texts[difference.kind]}{beside}"
