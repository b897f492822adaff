# SPDX-License-Identifier: Apache-2.0
"""What a check found, as a verdict, a log and JUnit results: every issue is named in each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from okd_payload.controller.model import RunState
from okd_payload.controller.verification.junit import CaseOutcome, TestCase
from okd_payload.controller.verification.run_files import RunOutcome
from okd_payload.issues import Issue

_NAMED = 10
"""How many issues the message of a run names; its log names all."""


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """What one check found."""

    check: str
    checked: tuple[str, ...] = ()
    """What was looked at and found good, one line each."""
    issues: tuple[Issue, ...] = ()

    @property
    def outcome(self) -> RunOutcome:
        """The verdict: what blocks fails it."""
        blocking = [issue for issue in self.issues if issue.blocks]
        if blocking:
            return RunOutcome(state=RunState.FAILED, message=name_issues(blocking))
        return RunOutcome(state=RunState.SUCCEEDED, message=self._tell_rest())

    @property
    def log(self) -> bytes:
        """All of it as lines for people."""
        lines = [*self.checked, *(_line(issue) for issue in self.issues)]
        lines.append(f"{self.check}: {self.outcome.state.value.lower()}")
        return ("\n".join(lines) + "\n").encode()

    @property
    def cases(self) -> tuple[TestCase, ...]:
        """All of it as test cases."""
        found = [_case(self.check, issue) for issue in self.issues]
        passed = [TestCase(name=name, suite=self.check) for name in self.checked]
        if not any(case.outcome.is_bad for case in found) and not passed:
            passed = [TestCase(name=self.check, suite=self.check)]
        return (*found, *passed)

    def _tell_rest(self) -> str:
        noted = len(self.issues)
        if not noted:
            return ""
        told = "1 finding blocks" if noted == 1 else f"{noted} findings block"
        return f"{told} nothing; see the log"


def name_issues(issues: Sequence[Issue]) -> str:
    """``issues`` in one line, the first of very many."""
    words = "; ".join(_name(issue) for issue in issues[:_NAMED])
    more = len(issues) - _NAMED
    return f"{words}; and {more} more, see the log" if more > 0 else words


def tell_all(check: str, issues: Iterable[Issue], *, checked: Iterable[str] = ()) -> Findings:
    """Findings of ``issues``, each told once."""
    return Findings(check=check, issues=tuple(dict.fromkeys(issues)), checked=tuple(checked))


def _name(issue: Issue) -> str:
    place = issue.component or issue.file
    return f"{place}: {issue.message}" if place else issue.message


def _line(issue: Issue) -> str:
    permitted = f" (permitted: {issue.permitted})" if issue.permitted else ""
    hint = f"\n    {issue.hint}" if issue.hint else ""
    return f"{issue.severity.value} {issue.code}: {_name(issue)}{permitted}{hint}"


def _case(check: str, issue: Issue) -> TestCase:
    place = issue.component or issue.file
    return TestCase(
        name=f"{issue.code} {place}".strip(),
        suite=check,
        outcome=CaseOutcome.FAILED if issue.blocks else CaseOutcome.SKIPPED,
        message=issue.message,
        text=issue.hint,
    )
