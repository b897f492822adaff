# SPDX-License-Identifier: Apache-2.0
"""What is found on the way through a rendering, collected so that all of it comes at once."""

from __future__ import annotations

from okd_payload.errors import InvalidDocument
from okd_payload.issues import Issue, IssueCode


class Findings:
    """The issues of one rendering, in the order in which they were found."""

    def __init__(self) -> None:
        self._issues: list[Issue] = []

    @property
    def issues(self) -> tuple[Issue, ...]:
        """All that was found so far; what was met twice is there once."""
        return tuple(dict.fromkeys(self._issues))

    def add(
        self, code: IssueCode, message: str, *, file: str, line: int = 0, hint: str = ""
    ) -> None:
        """Add one issue about ``line`` of ``file``."""
        self._issues.append(code.issue(message, file=file, line=line, hint=hint))

    def add_error(self, code: IssueCode, error: InvalidDocument) -> None:
        """Add what stopped the reading of one file, as an issue."""
        self.add(code, error.detail, file=error.path, line=error.line, hint=error.hint)
