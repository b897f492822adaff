# SPDX-License-Identifier: Apache-2.0
"""The kinds of issues that writing a key ring can find."""

from __future__ import annotations

from okd_payload.issues import IssueCode, Severity

UNFIT_KEY = IssueCode(
    "unfit-key", Severity.ERROR, "Clusters cannot read a key, or lose it to another one."
)
REVOKED_KEY = IssueCode(
    "revoked-key", Severity.WARNING, "A key is revoked: clusters take none of its signatures."
)
EXPIRED_KEY = IssueCode(
    "expired-key", Severity.WARNING, "A key has expired: clusters do not mind, people's tools do."
)
UNSATISFIABLE_ENTRY = IssueCode(
    "unsatisfiable-entry",
    Severity.ERROR,
    "No key of an entry can sign, so no update is ever taken.",
)
UNUSABLE_KEY_RING = IssueCode(
    "unusable-key-ring", Severity.ERROR, "Clusters do not start with the ConfigMap."
)
