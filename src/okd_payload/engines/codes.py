# SPDX-License-Identifier: Apache-2.0
"""The kinds of issues that looking at a machine that shall build can find."""

from __future__ import annotations

from okd_payload.issues import IssueCode, Severity

NO_BUILDAH = IssueCode(
    "no-buildah", Severity.ERROR, "Buildah is not installed, or too old to build images with."
)
NO_USER_NAMESPACES = IssueCode(
    "no-user-namespaces",
    Severity.ERROR,
    "An ordinary user cannot build here: user namespaces, or the ids for them, are missing.",
)
NO_STORAGE = IssueCode(
    "no-storage", Severity.ERROR, "Buildah cannot keep images in the folder meant for them."
)
SLOW_STORAGE = IssueCode(
    "slow-storage",
    Severity.WARNING,
    "Only the vfs storage driver works: every build copies its base image.",
)
NO_RESOURCE_LIMITS = IssueCode(
    "no-resource-limits",
    Severity.WARNING,
    "Resource limits of components are ignored: no control group may be made here.",
)
