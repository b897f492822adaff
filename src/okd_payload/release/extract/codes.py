# SPDX-License-Identifier: Apache-2.0
"""The kinds of issues that taking things out of a release can find."""

from __future__ import annotations

from okd_payload.issues import IssueCode, Severity

SOURCE_NOT_CHECKED_OUT = IssueCode(
    "source-not-checked-out",
    Severity.ERROR,
    "The source of a component cannot be checked out.",
)
SEVERAL_COMMITS = IssueCode(
    "several-commits",
    Severity.WARNING,
    "Components were built from different commits of one repository.",
)

ALL_CODES = (SOURCE_NOT_CHECKED_OUT, SEVERAL_COMMITS)
