# SPDX-License-Identifier: Apache-2.0
"""The kinds of issues that planning can find before the first build."""

from __future__ import annotations

from okd_payload.issues import IssueCode, Severity

SOURCE_UNAVAILABLE = IssueCode(
    "source-unavailable", Severity.ERROR, "A source cannot be read: git, or a folder, says no."
)
MISSING_DOCKERFILE = IssueCode(
    "missing-dockerfile",
    Severity.ERROR,
    "The source has no Dockerfile where the definition says, and no input brings one.",
)
INVALID_DOCKERFILE = IssueCode(
    "invalid-dockerfile", Severity.ERROR, "A Dockerfile cannot be read as one."
)
PATCH_CONFLICT = IssueCode(
    "patch-conflict",
    Severity.ERROR,
    "A patch of a component does not apply to its source, not even by merging.",
)
MISSING_PATCHES = IssueCode(
    "missing-patches",
    Severity.ERROR,
    "The folder of a component's patches is not there, or has none.",
)
IMAGE_UNAVAILABLE = IssueCode(
    "image-unavailable", Severity.ERROR, "An image of elsewhere cannot be found in its registry."
)
DEPENDENCY_CYCLE = IssueCode(
    "dependency-cycle", Severity.ERROR, "Images are built on each other in a circle."
)
UNCONSUMED_ARGUMENT = IssueCode(
    "unconsumed-argument",
    Severity.WARNING,
    "A definition gives a build argument that its Dockerfile does not declare.",
)
UNUSED_INPUT = IssueCode(
    "unused-input",
    Severity.NOTICE,
    "A definition declares an image input that its Dockerfile does not use.",
)
CHANGED_IMPORT = IssueCode(
    "changed-import",
    Severity.ERROR,
    "A command made another image than the one that the lock has.",
)
SHARED_IMAGE_MISSING = IssueCode(
    "shared-image-missing",
    Severity.ERROR,
    "A component is to be taken from the release that the stream begins with, which lacks it.",
)
TAKEN_FROM_OCP = IssueCode(
    "taken-from-ocp",
    Severity.NOTICE,
    "Images that the stream begins with are OCP's, and may not be given to others.",
)
DECLARED_EDGES = IssueCode(
    "declared-edges",
    Severity.WARNING,
    "What components stand on was taken from definitions alone: no Dockerfile was read.",
)
