# SPDX-License-Identifier: Apache-2.0
"""The kinds of issues that taking over from the old controller can find."""

from __future__ import annotations

from okd_payload.issues import IssueCode, Severity

PASSED_OVER_STREAM = IssueCode(
    "passed-over-stream",
    Severity.WARNING,
    "An image stream of the old controller becomes no stream here, as it was none there.",
)
PASSED_OVER_RELEASE = IssueCode(
    "passed-over-release",
    Severity.WARNING,
    "A tag of the old controller becomes no release here.",
)
UNREAD_PAYLOAD = IssueCode(
    "unread-payload",
    Severity.WARNING,
    "The payload of a release that was taken over could not be read.",
)
