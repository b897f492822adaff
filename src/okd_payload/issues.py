# SPDX-License-Identifier: Apache-2.0
"""What checks find, as data.

A check returns all its issues at once. A stream may permit a code with a reason: a permitted
issue no longer blocks, and stays visible in every report. Each room declares its codes as
``IssueCode`` values in a module ``codes.py``; ``docs/reference/issues.md`` describes every one
of them, which a test checks.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence

import msgspec


class Severity(enum.Enum):
    """How much an issue matters: an error blocks unless it is permitted.

    A warning is something that does not do what it was meant to do; a notice is worth knowing
    and may well be meant.
    """

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


class IssueCode(msgspec.Struct, frozen=True):
    """One kind of issue: its stable name, default severity and one sentence of meaning."""

    code: str
    severity: Severity
    meaning: str

    def issue(
        self, message: str, *, component: str = "", file: str = "", line: int = 0, hint: str = ""
    ) -> Issue:
        """An issue of this kind about one object."""
        return Issue(
            code=self.code,
            severity=self.severity,
            message=message,
            component=component,
            file=file,
            line=line,
            hint=hint,
        )


class Issue(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One finding: what is wrong, where, and what to do about it."""

    code: str
    severity: Severity
    message: str
    component: str = ""
    file: str = ""
    line: int = 0
    hint: str = ""
    permitted: str = ""
    """The reason the stream gives for accepting this issue; empty when it does not."""

    @property
    def blocks(self) -> bool:
        """Whether work must stop because of this issue."""
        return self.severity is Severity.ERROR and not self.permitted


class Permit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A code that a stream accepts, why, and for which component (all when empty)."""

    code: str
    reason: str
    component: str = ""


def apply_permits(issues: Iterable[Issue], permits: Sequence[Permit]) -> list[Issue]:
    """``issues`` with the reason of the first fitting permit written into each."""
    return [_permit(issue, permits) for issue in issues]


def _permit(issue: Issue, permits: Sequence[Permit]) -> Issue:
    for permit in permits:
        if permit.code == issue.code and permit.component in ("", issue.component):
            return msgspec.structs.replace(issue, permitted=permit.reason)
    return issue
