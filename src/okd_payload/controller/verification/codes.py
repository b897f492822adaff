# SPDX-License-Identifier: Apache-2.0
"""The kinds of issues that verifying a release finds beyond those of the room ``release``."""

from __future__ import annotations

from okd_payload.issues import IssueCode, Severity

UNSTARTABLE_IMAGE = IssueCode(
    "unstartable-image",
    Severity.ERROR,
    "The program that containers of an image start with does not start.",
)
