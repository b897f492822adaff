# SPDX-License-Identifier: Apache-2.0
"""The kinds of issues that signatures and keys can have, though a cluster may take them."""

from __future__ import annotations

from okd_payload.issues import IssueCode, Severity

EXPIRED_KEY = IssueCode(
    "expired-key", Severity.ERROR, "A release is signed with a key that has expired."
)
REVOKED_KEY = IssueCode(
    "revoked-key", Severity.ERROR, "A release is signed with a key that was revoked."
)
WEAK_KEY = IssueCode("weak-key", Severity.ERROR, "A release is signed with a key that is short.")
WEAK_HASH = IssueCode(
    "weak-hash", Severity.ERROR, "A signature is over a hash that can be forged, or soon may be."
)
OTHER_REFERENCE = IssueCode(
    "signed-reference-differs",
    Severity.ERROR,
    "A signature is for another place than the release is published at.",
)
FUTURE_SIGNATURE = IssueCode(
    "future-signature", Severity.ERROR, "A signature claims to be made later than now."
)
EXPIRED_SIGNATURE = IssueCode(
    "expired-signature", Severity.ERROR, "A signature is past the time that it is good for."
)
SEVERAL_SIGNERS = IssueCode(
    "several-signers",
    Severity.ERROR,
    "One message bears signatures of several keys, which clusters refuse.",
)
UNREADABLE_KEY = IssueCode(
    "unreadable-key", Severity.ERROR, "A key ring has a key of a kind that clusters cannot read."
)
LOST_KEY = IssueCode(
    "lost-key", Severity.ERROR, "A key ring has a key that clusters lose while they read it."
)
EMPTY_KEY_RING = IssueCode(
    "empty-key-ring", Severity.ERROR, "A key ring has no keys, so no signature satisfies it."
)

ALL_CODES = (
    EXPIRED_KEY,
    REVOKED_KEY,
    WEAK_KEY,
    WEAK_HASH,
    OTHER_REFERENCE,
    FUTURE_SIGNATURE,
    EXPIRED_SIGNATURE,
    SEVERAL_SIGNERS,
    UNREADABLE_KEY,
    LOST_KEY,
    EMPTY_KEY_RING,
)
