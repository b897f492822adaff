# SPDX-License-Identifier: Apache-2.0
"""The kinds of issues that choosing builders can find."""

from __future__ import annotations

from okd_payload.issues import IssueCode, Severity

NO_BUILDER = IssueCode(
    "no-builder",
    Severity.ERROR,
    "A Dockerfile asks for a builder that no image of the stream can stand in for.",
)

ALL_CODES = (NO_BUILDER,)
