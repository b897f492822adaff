# SPDX-License-Identifier: Apache-2.0
"""The kinds of issues that stand between a cluster and an update."""

from __future__ import annotations

from okd_payload.issues import IssueCode, Severity

NOT_BY_DIGEST = IssueCode(
    "update-not-by-digest", Severity.ERROR, "The update is named by tag, which no cluster verifies."
)
UNVERIFIED_UPDATE = IssueCode(
    "unverified-update",
    Severity.ERROR,
    "No signature of the update satisfies the keys that the running release carries.",
)
NO_UPDATE_KEYS = IssueCode(
    "no-update-keys",
    Severity.ERROR,
    "The running release carries no keys, so that its clusters can verify no update at all.",
)
UNUSABLE_UPDATE_KEYS = IssueCode(
    "unusable-update-keys",
    Severity.ERROR,
    "A release carries keys with which its operator does not start.",
)
NO_LATER_KEYS = IssueCode(
    "no-later-keys",
    Severity.WARNING,
    "The update carries no keys, so that a cluster on it can verify no later update.",
)
UNRETRIEVABLE_UPDATE = IssueCode(
    "unretrievable-update",
    Severity.ERROR,
    "The image of the update is not there, or lacks what a cluster runs in it.",
)
UNLOADABLE_UPDATE = IssueCode(
    "unloadable-update", Severity.ERROR, "The cluster's operator refuses to load the update."
)
LOADED_WITH_WARNING = IssueCode(
    "loaded-with-warning",
    Severity.WARNING,
    "The cluster's operator loads the update and leaves something of it aside.",
)
NO_UPDATE_EDGE = IssueCode(
    "no-update-edge",
    Severity.ERROR,
    "Neither release, and no update graph, says that one leads to the other.",
)
CONDITIONAL_UPDATE = IssueCode(
    "conditional-update",
    Severity.WARNING,
    "The update graph recommends the update to some clusters only.",
)
OLDER_UPDATE = IssueCode(
    "older-update", Severity.ERROR, "The update has a lower version than the running release."
)
DISTANT_UPDATE = IssueCode(
    "distant-update",
    Severity.ERROR,
    "The update is more than one minor version, or a major version, away.",
)
OTHER_ARCHITECTURE = IssueCode(
    "other-architecture",
    Severity.ERROR,
    "The update is for other architectures than the running release.",
)
FAILING_OBJECT = IssueCode(
    "failing-object", Severity.ERROR, "An object of the update can never be applied."
)
ENABLED_CAPABILITY = IssueCode(
    "enabled-capability",
    Severity.NOTICE,
    "The update enables a capability that the cluster did not ask for.",
)
ORPHANED_OBJECT = IssueCode(
    "orphaned-object",
    Severity.NOTICE,
    "An object of the running release stays in the cluster, and nobody looks after it.",
)
UNCHECKED_UPDATE = IssueCode(
    "unchecked-update", Severity.NOTICE, "Something about the update could not be checked."
)
