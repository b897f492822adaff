# SPDX-License-Identifier: Apache-2.0
"""The kinds of issues that reading a catalog and naming images can find."""

from __future__ import annotations

from okd_payload.issues import IssueCode, Severity

INVALID_DEFINITION = IssueCode(
    "invalid-definition",
    Severity.ERROR,
    "A definition file cannot be read as what it should be; it is left out.",
)
EMPTY_CATALOG = IssueCode(
    "empty-catalog", Severity.ERROR, "A catalog source has no definition of an image."
)
DUPLICATE_COMPONENT = IssueCode(
    "duplicate-component",
    Severity.ERROR,
    "Two definitions have the same name; the later one is left out.",
)
DUPLICATE_OUTPUT = IssueCode(
    "duplicate-output",
    Severity.ERROR,
    "Two images claim the same tag of the stream; the later one is left out.",
)
FOREIGN_OUTPUT = IssueCode(
    "foreign-output",
    Severity.WARNING,
    "A BuildConfig makes no tag of the stream; it is left out.",
)
DUPLICATE_ARGUMENT = IssueCode(
    "duplicate-argument",
    Severity.WARNING,
    "A definition gives a build argument more than once; the last one counts.",
)
UNSUPPORTED_FIELD = IssueCode(
    "unsupported-field",
    Severity.ERROR,
    "A definition has a field that would change the image and cannot be honoured.",
)
IGNORED_FIELD = IssueCode(
    "ignored-field",
    Severity.WARNING,
    "A definition has a field that means something to a cluster only, not to the image.",
)
UNKNOWN_FIELD = IssueCode(
    "unknown-field", Severity.WARNING, "A definition has a field that its format does not know."
)
IGNORED_DOCUMENT = IssueCode(
    "ignored-document",
    Severity.WARNING,
    "A file beside the definitions is neither a BuildConfig nor an ImageStream.",
)
ESCAPING_PATH = IssueCode(
    "escaping-path",
    Severity.ERROR,
    "A path of a definition leaves the repository that it belongs to.",
)
MISSING_FOLDER = IssueCode(
    "missing-folder", Severity.ERROR, "A source is a folder that this machine does not have."
)
UNKNOWN_COMPONENT = IssueCode(
    "unknown-component", Severity.ERROR, "The stream file names a component that nobody defines."
)
UNMATCHED_SELECTOR = IssueCode(
    "unmatched-selector",
    Severity.WARNING,
    "A pattern or label in the stream file selects no component.",
)
DANGLING_REFERENCE = IssueCode(
    "dangling-reference",
    Severity.ERROR,
    "A name is neither a tag of the stream nor an image elsewhere.",
)
PRIVATE_REFERENCE = IssueCode(
    "private-reference",
    Severity.ERROR,
    "A reference leads to a registry that not everybody can pull from.",
)

ALL_CODES = (
    INVALID_DEFINITION,
    EMPTY_CATALOG,
    DUPLICATE_COMPONENT,
    DUPLICATE_OUTPUT,
    FOREIGN_OUTPUT,
    DUPLICATE_ARGUMENT,
    UNSUPPORTED_FIELD,
    IGNORED_FIELD,
    UNKNOWN_FIELD,
    IGNORED_DOCUMENT,
    ESCAPING_PATH,
    MISSING_FOLDER,
    UNKNOWN_COMPONENT,
    UNMATCHED_SELECTOR,
    DANGLING_REFERENCE,
    PRIVATE_REFERENCE,
)
