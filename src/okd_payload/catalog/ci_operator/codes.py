# SPDX-License-Identifier: Apache-2.0
"""The kinds of issues that reading configurations of OpenShift CI can find."""

from __future__ import annotations

from okd_payload.issues import IssueCode, Severity

CONFIGURATION_NAME = IssueCode(
    "configuration-name",
    Severity.WARNING,
    "A configuration of OpenShift CI is called otherwise than its metadata says; the metadata "
    "counts.",
)
DUPLICATE_CONFIGURATION = IssueCode(
    "duplicate-configuration",
    Severity.ERROR,
    "Two files configure the same branch and variant of a repository; the later is left out.",
)
UNREAD_CONFIGURATION_FIELD = IssueCode(
    "unread-configuration-field",
    Severity.NOTICE,
    "A configuration of OpenShift CI has a field that is not known here; it is kept and has no "
    "effect.",
)
UNDEFINED_CI_IMAGE = IssueCode(
    "undefined-ci-image",
    Severity.ERROR,
    "A configuration of OpenShift CI uses an image that it neither imports nor builds.",
)
CI_ONLY_IMAGE = IssueCode(
    "ci-only-image",
    Severity.WARNING,
    "An image is made of what only OpenShift CI has, such as its compiled sources; it is left out.",
)
IGNORED_CI_STEP = IssueCode(
    "ignored-ci-step",
    Severity.WARNING,
    "A step of OpenShift CI changes an image in a way that only its own clusters can; the image "
    "is taken without it.",
)
FALLBACK_CONFIGURATION = IssueCode(
    "fallback-configuration",
    Severity.NOTICE,
    "A repository has no configuration for the wanted branch, so that of another branch counts.",
)
UNCONFIGURED_BRANCH = IssueCode(
    "unconfigured-branch",
    Severity.WARNING,
    "A repository has images for releases, but no configuration for the wanted branch nor for a "
    "main branch; it is left out.",
)

ALL_CODES = (
    CONFIGURATION_NAME,
    DUPLICATE_CONFIGURATION,
    UNREAD_CONFIGURATION_FIELD,
    UNDEFINED_CI_IMAGE,
    CI_ONLY_IMAGE,
    IGNORED_CI_STEP,
    FALLBACK_CONFIGURATION,
    UNCONFIGURED_BRANCH,
)
