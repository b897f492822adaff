# SPDX-License-Identifier: Apache-2.0
"""The kinds of issues that writing a key ring can find, besides those of ``signing.codes``."""

from __future__ import annotations

from okd_payload.issues import IssueCode, Severity

REVOKED_RING_KEY = IssueCode(
    "revoked-ring-key",
    Severity.WARNING,
    "A key of a ring is revoked: clusters take none of its signatures.",
)
EXPIRED_RING_KEY = IssueCode(
    "expired-ring-key",
    Severity.WARNING,
    "A key of a ring has expired: clusters do not mind, people's tools do.",
)
UNSATISFIABLE_ENTRY = IssueCode(
    "unsatisfiable-entry",
    Severity.ERROR,
    "No key of an entry can sign, so no update is ever taken.",
)
UNUSABLE_KEY_RING = IssueCode(
    "unusable-key-ring", Severity.ERROR, "Clusters do not start with the ConfigMap."
)
