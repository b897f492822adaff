# SPDX-License-Identifier: Apache-2.0
"""The kinds of issues that writing a catalog can find."""

from __future__ import annotations

from okd_payload.issues import IssueCode, Severity

INEXPRESSIBLE_DEFINITION = IssueCode(
    "inexpressible-definition",
    Severity.ERROR,
    "A definition says something that component files cannot say; it is not written.",
)

ALL_CODES = (INEXPRESSIBLE_DEFINITION,)
