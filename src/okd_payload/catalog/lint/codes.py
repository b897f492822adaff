# SPDX-License-Identifier: Apache-2.0
"""The kinds of issues that checking a whole catalog can find, beside those of reading it."""

from __future__ import annotations

from okd_payload.issues import IssueCode, Severity

PRIVATE_BASE = IssueCode(
    "private-base",
    Severity.ERROR,
    "The final image of a definition is built on an image that not everybody can pull.",
)
OCP_BASE = IssueCode(
    "ocp-base",
    Severity.ERROR,
    "The final image of an OKD component is built on an image of the `ocp` streams.",
)
MISSING_ALIAS = IssueCode(
    "missing-alias",
    Severity.ERROR,
    "A Dockerfile uses a private image that no alias of its definition replaces.",
)
CONFLICTING_ALIAS = IssueCode(
    "conflicting-alias",
    Severity.ERROR,
    "Two inputs of a definition give one name, or one stage, different images.",
)
UNUSED_IMAGE_INPUT = IssueCode(
    "unused-image-input", Severity.NOTICE, "An image is given to a build that does not use it."
)
LOST_BY_PATCH = IssueCode(
    "lost-by-patch",
    Severity.ERROR,
    "A patch replaces a list whole, and what only the definition knew is lost.",
)
INDEX_PATCH = IssueCode(
    "index-patch",
    Severity.WARNING,
    "A patch counts the items of a list, so that it changes another one when the order changes.",
)
AMBIGUOUS_ARGUMENT = IssueCode(
    "ambiguous-argument",
    Severity.WARNING,
    "One argument name means different things in different definitions.",
)
VERSION_SKEW = IssueCode(
    "version-skew",
    Severity.WARNING,
    "Something names another OpenShift version than the definitions around it.",
)
STUB_IMAGE = IssueCode(
    "stub-image",
    Severity.WARNING,
    "A tag is a bare operating system that stands in for a component, and nobody says why.",
)
UNREAD_LABEL = IssueCode(
    "unread-label",
    Severity.WARNING,
    "A definition has a label for overlays that no overlay selects by.",
)
MISNAMED_FILE = IssueCode(
    "misnamed-file", Severity.NOTICE, "A file is called otherwise than the definition in it."
)
UNKNOWN_BUILD = IssueCode(
    "unknown-build", Severity.ERROR, "A pipeline starts a build that nobody defines."
)
UNBUILT_DEFINITION = IssueCode(
    "unbuilt-definition", Severity.WARNING, "No pipeline builds a definition."
)
UNBUILT_PARENT = IssueCode(
    "unbuilt-parent",
    Severity.NOTICE,
    "A pipeline builds an image, but not the one that it is built on.",
)
BATCH_RACE = IssueCode(
    "batch-race",
    Severity.ERROR,
    "A pipeline builds an image at the same time as one that it is built on.",
)
LATE_PARENT = IssueCode(
    "late-parent",
    Severity.WARNING,
    "A pipeline builds an image after others that have it as an input.",
)
LATE_BATCH = IssueCode(
    "late-batch",
    Severity.NOTICE,
    "A pipeline builds images later than their inputs make necessary.",
)
UNDECLARED_PARAMETER = IssueCode(
    "undeclared-parameter",
    Severity.ERROR,
    "A Tekton object uses a parameter that it does not declare.",
)
UNUSED_PARAMETER = IssueCode(
    "unused-parameter", Severity.WARNING, "A Tekton object declares a parameter and never uses it."
)
MISSING_PARAMETER = IssueCode(
    "missing-parameter",
    Severity.ERROR,
    "A task or pipeline does not get a parameter that it has no default for.",
)
IGNORED_PARAMETER = IssueCode(
    "ignored-parameter",
    Severity.WARNING,
    "A task or pipeline is given a parameter that it does not declare.",
)
SHORT_TIMEOUT = IssueCode(
    "short-timeout",
    Severity.WARNING,
    "A pipeline allows its tasks more time than a run of it has.",
)
CREDENTIALS_KEY = IssueCode(
    "credentials-key",
    Severity.WARNING,
    "Pipelines read credentials under different keys from one workspace.",
)
CLUSTER_TASK = IssueCode(
    "cluster-task", Severity.ERROR, "A pipeline uses a ClusterTask, which Tekton has no more."
)
OLD_API_VERSION = IssueCode(
    "old-api-version", Severity.NOTICE, "An object is of an API version that is on its way out."
)

ALL_CODES = (
    PRIVATE_BASE,
    OCP_BASE,
    MISSING_ALIAS,
    CONFLICTING_ALIAS,
    UNUSED_IMAGE_INPUT,
    LOST_BY_PATCH,
    INDEX_PATCH,
    AMBIGUOUS_ARGUMENT,
    VERSION_SKEW,
    STUB_IMAGE,
    UNREAD_LABEL,
    MISNAMED_FILE,
    UNKNOWN_BUILD,
    UNBUILT_DEFINITION,
    UNBUILT_PARENT,
    BATCH_RACE,
    LATE_PARENT,
    LATE_BATCH,
    UNDECLARED_PARAMETER,
    UNUSED_PARAMETER,
    MISSING_PARAMETER,
    IGNORED_PARAMETER,
    SHORT_TIMEOUT,
    CREDENTIALS_KEY,
    CLUSTER_TASK,
    OLD_API_VERSION,
)
