# SPDX-License-Identifier: Apache-2.0
"""The kinds of issues that making, reading and checking a payload can find."""

from __future__ import annotations

from okd_payload.issues import IssueCode, Severity

TAG_NOT_IMPORTED = IssueCode(
    "tag-not-imported", Severity.ERROR, "A tag of the image stream has no image yet."
)
DUPLICATE_TAG = IssueCode(
    "duplicate-tag", Severity.ERROR, "The image stream has a tag twice, with different images."
)
MISSING_IMAGE = IssueCode(
    "missing-image", Severity.ERROR, "An image is not where its pull spec says."
)
UNREADABLE_IMAGE = IssueCode(
    "unreadable-image", Severity.ERROR, "The content of an image is damaged or not supported."
)
INVALID_VERSION_LABEL = IssueCode(
    "invalid-version-label",
    Severity.ERROR,
    "The labels of an image about component versions cannot be read.",
)
UNKNOWN_VERSION_KEY = IssueCode(
    "unknown-version-key",
    Severity.ERROR,
    "An image declares the version of a component that releases do not report.",
)
UNLABELLED_OPERATOR = IssueCode(
    "unlabelled-operator",
    Severity.WARNING,
    "An image brings manifests like an operator, and lacks the operator's label.",
)
OPERATOR_WITHOUT_MANIFESTS = IssueCode(
    "operator-without-manifests",
    Severity.WARNING,
    "An image has the operator's label, and no manifests in its last layer.",
)
MISSING_ARCHITECTURE = IssueCode(
    "missing-architecture",
    Severity.WARNING,
    "An image does not exist for every architecture that the release is for.",
)
ARCHITECTURES_DIFFER = IssueCode(
    "architectures-differ",
    Severity.WARNING,
    "An operator brings other manifests on another architecture.",
)
INVALID_OPERATOR_REFERENCES = IssueCode(
    "invalid-operator-references",
    Severity.ERROR,
    "The image-references file of an operator cannot be used.",
)
MISSING_OPERAND = IssueCode(
    "missing-operand", Severity.ERROR, "An operator lists an image that the release does not have."
)
CONFLICTING_VERSIONS = IssueCode(
    "conflicting-versions",
    Severity.ERROR,
    "Images that one operator lists declare different versions of a component.",
)
UNKNOWN_VERSION_REFERENCE = IssueCode(
    "unknown-version-reference",
    Severity.ERROR,
    "A manifest asks for the version of a component that has none, or several.",
)
INVALID_MANIFEST = IssueCode(
    "invalid-manifest", Severity.ERROR, "A manifest is not what the cluster can load."
)
UNREACHABLE_MANIFEST = IssueCode(
    "unreachable-manifest",
    Severity.WARNING,
    "A manifest gets a place in the payload where the cluster does not look.",
)
MISSING_FILE = IssueCode(
    "missing-payload-file", Severity.ERROR, "A file that every payload must have is absent."
)
INVALID_REFERENCES = IssueCode(
    "invalid-image-references",
    Severity.ERROR,
    "The payload's image-references is not what the cluster can load.",
)
INVALID_METADATA = IssueCode(
    "invalid-release-metadata",
    Severity.ERROR,
    "The payload's release-metadata is not what the cluster can load.",
)
NAME_DIFFERS = IssueCode(
    "release-name-differs",
    Severity.ERROR,
    "The payload's files or labels give it different versions.",
)
DUPLICATE_OBJECT = IssueCode(
    "duplicate-object", Severity.ERROR, "One manifest file defines the same object twice."
)
REPEATED_OBJECT = IssueCode(
    "repeated-object",
    Severity.WARNING,
    "Two manifest files define the same object; the cluster applies both in turn.",
)
LEFTOVER_PLACEHOLDER = IssueCode(
    "leftover-placeholder",
    Severity.WARNING,
    "A manifest still has text that stands for a version or an image.",
)
FOREIGN_IMAGE = IssueCode(
    "foreign-image",
    Severity.WARNING,
    "A manifest uses an image that is not part of the release.",
)
PRIVATE_IMAGE = IssueCode(
    "private-image",
    Severity.ERROR,
    "The release uses an image from a registry that not everybody can pull from.",
)
INVALID_PULL_SPEC = IssueCode(
    "invalid-pull-spec", Severity.ERROR, "The release names an image by what is no pull spec."
)
FLOATING_IMAGE = IssueCode(
    "floating-image", Severity.WARNING, "The release names an image by tag instead of by digest."
)

ALL_CODES = (
    TAG_NOT_IMPORTED,
    DUPLICATE_TAG,
    MISSING_IMAGE,
    UNREADABLE_IMAGE,
    INVALID_VERSION_LABEL,
    UNKNOWN_VERSION_KEY,
    UNLABELLED_OPERATOR,
    OPERATOR_WITHOUT_MANIFESTS,
    INVALID_OPERATOR_REFERENCES,
    MISSING_OPERAND,
    CONFLICTING_VERSIONS,
    UNKNOWN_VERSION_REFERENCE,
    INVALID_MANIFEST,
    UNREACHABLE_MANIFEST,
    MISSING_FILE,
    INVALID_REFERENCES,
    INVALID_METADATA,
    NAME_DIFFERS,
    DUPLICATE_OBJECT,
    REPEATED_OBJECT,
    LEFTOVER_PLACEHOLDER,
    FOREIGN_IMAGE,
    PRIVATE_IMAGE,
    INVALID_PULL_SPEC,
    FLOATING_IMAGE,
)
