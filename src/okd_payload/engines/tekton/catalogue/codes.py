# SPDX-License-Identifier: Apache-2.0
"""The kinds of issues for which a hub would not list what is published, or show it half empty."""

from __future__ import annotations

from okd_payload.issues import IssueCode, Severity

CATALOGUE_UNLISTED = IssueCode(
    "catalogue-unlisted",
    Severity.ERROR,
    "A hub would not list an entry of the catalogue.",
)
CATALOGUE_UNDESCRIBED = IssueCode(
    "catalogue-undescribed",
    Severity.WARNING,
    "Something that users of an entry have to know is not described.",
)
