# SPDX-License-Identifier: Apache-2.0
"""The kinds of issues that verifying a published release can find."""

from __future__ import annotations

from okd_payload.issues import IssueCode, Severity

ABSENT_IMAGE = IssueCode(
    "absent-image", Severity.ERROR, "No manifest is where a pull spec or a list says."
)
ABSENT_BLOB = IssueCode(
    "absent-blob", Severity.ERROR, "A layer or configuration is not in the image's repository."
)
DAMAGED_IMAGE = IssueCode(
    "damaged-image", Severity.ERROR, "What a repository gives out is not what its digest says."
)
UNREACHABLE_IMAGE = IssueCode(
    "unreachable-image",
    Severity.ERROR,
    "A registry does not let an image be looked at, or does not answer.",
)
UNSIGNED_RELEASE = IssueCode(
    "unsigned-release",
    Severity.ERROR,
    "No signature of the release satisfies the keys that were given.",
)
UNSIGNED_MEMBER = IssueCode(
    "unsigned-member",
    Severity.WARNING,
    "A member of the release's index has no signature of its own.",
)
REFUSED_SIGNATURE = IssueCode(
    "refused-signature",
    Severity.WARNING,
    "A signature was found that the keys that were given do not accept.",
)
SIGNATURES_NOT_CHECKED = IssueCode(
    "signatures-not-checked",
    Severity.WARNING,
    "No keys were given, so nothing says who made the release.",
)
UNUSABLE_CHECKSUMS = IssueCode(
    "unusable-checksums",
    Severity.ERROR,
    "The sha256sum.txt of the archives is absent, or cannot be read.",
)
CHECKSUM_DIFFERS = IssueCode(
    "checksum-differs", Severity.ERROR, "A file is not the one that sha256sum.txt lists."
)
ABSENT_ARCHIVE = IssueCode(
    "absent-archive", Severity.ERROR, "A file that sha256sum.txt lists is not there."
)
UNLISTED_FILE = IssueCode(
    "unlisted-file", Severity.WARNING, "A file lies beside the archives and is in no checksum."
)
UNSIGNED_CHECKSUMS = IssueCode(
    "unsigned-checksums",
    Severity.ERROR,
    "No key that was given signed the checksums of the archives.",
)
