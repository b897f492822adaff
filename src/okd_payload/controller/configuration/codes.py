# SPDX-License-Identifier: Apache-2.0
"""The kinds of issues that reading the configuration of release streams can find."""

from __future__ import annotations

from okd_payload.issues import IssueCode, Severity

INVALID_STREAM_CONFIGURATION = IssueCode(
    "invalid-stream-configuration",
    Severity.ERROR,
    "A file with a release stream cannot be read as one; the stream is left out.",
)
DUPLICATE_RELEASE_STREAM = IssueCode(
    "duplicate-release-stream",
    Severity.ERROR,
    "Two files configure a release stream of the same name; the later one is left out.",
)
UNKNOWN_STREAM_FIELD = IssueCode(
    "unknown-stream-field",
    Severity.WARNING,
    "A configuration of OpenShift's controller has a field that is not known here.",
)
IGNORED_STREAM_FIELD = IssueCode(
    "ignored-stream-field",
    Severity.NOTICE,
    "A configuration of OpenShift's controller has a field that has no meaning here.",
)
UNUSABLE_VERIFICATION = IssueCode(
    "unusable-verification",
    Severity.ERROR,
    "A verification contradicts itself or says nothing that could be run.",
)
UNUSABLE_PUBLICATION = IssueCode(
    "unusable-publication",
    Severity.ERROR,
    "A way of publishing contradicts itself or says nothing that could be done.",
)
UNUSABLE_SCHEDULE = IssueCode(
    "unusable-schedule",
    Severity.ERROR,
    "A schedule has no time that can be told, or nothing to do.",
)
UNUSABLE_STREAM = IssueCode(
    "unusable-stream",
    Severity.ERROR,
    "A release stream does not say where its images come from or its releases go to, or is called "
    "what no tag or folder can be.",
)
UNKNOWN_RELEASE_STREAM = IssueCode(
    "unknown-release-stream",
    Severity.WARNING,
    "A stream refers to another one that is not configured here.",
)
AMBIGUOUS_RISK = IssueCode(
    "ambiguous-risk",
    Severity.WARNING,
    "Two risks of updates have the same name and say different things.",
)
SHARED_PERIODIC_JOB = IssueCode(
    "shared-periodic-job",
    Severity.WARNING,
    "Two schedules of OpenShift's files run the same job of Prow.",
)
CLUSTER_NEEDED = IssueCode(
    "cluster-needed",
    Severity.ERROR,
    "A release stream wants its payloads made in Jobs, and the server knows no cluster.",
)
PLACELESS_STREAM = IssueCode(
    "placeless-stream",
    Severity.WARNING,
    "A file of OpenShift's configures a stream, and no image stream says where its images are.",
)
