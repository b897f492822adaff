# SPDX-License-Identifier: Apache-2.0
"""Every kind of issue that rendering kustomizations can find."""

from __future__ import annotations

from okd_payload.issues import IssueCode, Severity

INVALID_KUSTOMIZATION = IssueCode(
    "invalid-kustomization",
    Severity.ERROR,
    "A kustomization, or a part of it, cannot be read as one.",
)
UNSUPPORTED_KUSTOMIZATION = IssueCode(
    "unsupported-kustomization",
    Severity.ERROR,
    "A kustomization asks for something that is refused here.",
)
MISSING_RESOURCE = IssueCode(
    "missing-resource",
    Severity.ERROR,
    "A kustomization names a file or folder that is not there, or that is no kustomization.",
)
KUSTOMIZATION_CYCLE = IssueCode(
    "kustomization-cycle", Severity.ERROR, "Kustomizations need each other in a circle."
)
INVALID_OBJECT = IssueCode(
    "invalid-object",
    Severity.ERROR,
    "A resource file is not YAML, or holds something that is no Kubernetes object.",
)
OBJECT_RENDERED_TWICE = IssueCode(
    "object-rendered-twice",
    Severity.ERROR,
    "Two objects of a rendering have the same kind, namespace and name.",
)
PATCH_WITHOUT_TARGET = IssueCode(
    "patch-without-target",
    Severity.ERROR,
    "A patch names one object, and there is none or more than one of that name.",
)
UNMATCHED_PATCH = IssueCode(
    "unmatched-patch",
    Severity.NOTICE,
    "The target of a patch selects no object, so that the patch does nothing.",
)
FAILED_PATCH = IssueCode(
    "failed-patch", Severity.ERROR, "A patch cannot be applied to an object it is meant for."
)
FAILED_REPLACEMENT = IssueCode(
    "failed-replacement",
    Severity.ERROR,
    "A replacement has no source, or cannot be written into a target.",
)
AMBIGUOUS_NAME = IssueCode(
    "ambiguous-name",
    Severity.ERROR,
    "A name that has to follow a renamed object fits several of them.",
)

ALL_CODES = (
    INVALID_KUSTOMIZATION,
    UNSUPPORTED_KUSTOMIZATION,
    MISSING_RESOURCE,
    KUSTOMIZATION_CYCLE,
    INVALID_OBJECT,
    OBJECT_RENDERED_TWICE,
    PATCH_WITHOUT_TARGET,
    UNMATCHED_PATCH,
    FAILED_PATCH,
    FAILED_REPLACEMENT,
    AMBIGUOUS_NAME,
)
