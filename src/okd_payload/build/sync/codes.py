# SPDX-License-Identifier: Apache-2.0
"""The kinds of differences between a catalog and a release."""

from __future__ import annotations

from okd_payload.issues import IssueCode, Severity

UNDEFINED_IMAGE = IssueCode(
    "undefined-image",
    Severity.ERROR,
    "A release has an image that the stream neither builds nor imports.",
)
IMAGE_NOT_IN_RELEASE = IssueCode(
    "image-not-in-release",
    Severity.ERROR,
    "The stream makes an image that the release does not have and nothing is built on.",
)
RENAMED_IMAGE = IssueCode(
    "renamed-image",
    Severity.ERROR,
    "An image has another tag in the release, and the same source and Dockerfile.",
)
MOVED_SOURCE = IssueCode(
    "moved-source", Severity.WARNING, "The release has an image from another repository."
)
CHANGED_CLASS = IssueCode(
    "changed-class",
    Severity.WARNING,
    "Whether OKD and OCP ship the same image is not what the definition says.",
)
