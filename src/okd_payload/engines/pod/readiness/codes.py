# SPDX-License-Identifier: Apache-2.0
"""The kinds of issues that looking at a cluster that shall build can find."""

from __future__ import annotations

from okd_payload.issues import IssueCode, Severity

CLUSTER_UNREACHABLE = IssueCode(
    "cluster-unreachable", Severity.ERROR, "The cluster does not answer, or does not know us."
)
ENGINE_ABSENT = IssueCode(
    "engine-absent", Severity.ERROR, "What shall build is not installed on the cluster."
)
ENGINE_TOO_OLD = IssueCode(
    "engine-too-old", Severity.ERROR, "What shall build is there in a version that is too old."
)
RIGHT_MISSING = IssueCode(
    "right-missing", Severity.ERROR, "A right in the namespace is missing that building needs."
)
NAMESPACE_UNUSABLE = IssueCode(
    "namespace-unusable",
    Severity.ERROR,
    "The namespace is not there, or on its way out.",
)
POD_SECURITY_TOO_STRICT = IssueCode(
    "pod-security-too-strict",
    Severity.ERROR,
    "The namespace's pod security lets no pod through that builds images.",
)
ADMISSION_REFUSES = IssueCode(
    "admission-refuses", Severity.ERROR, "The cluster would refuse what builds make."
)
ADMISSION_SILENT = IssueCode(
    "admission-silent",
    Severity.ERROR,
    "What has to admit builds does not answer: a webhook is away.",
)
NO_ROOM = IssueCode(
    "no-room",
    Severity.ERROR,
    "No build can start: a quota, a limit or every node is smaller than one build.",
)
LITTLE_ROOM = IssueCode(
    "little-room", Severity.WARNING, "The quota of the namespace has room for few builds at a time."
)
NO_POD_USER_NAMESPACES = IssueCode(
    "no-pod-user-namespaces",
    Severity.WARNING,
    "Pods get no user namespace of their own: builds run in that of the node.",
)
NO_DEFAULT_STORAGE_CLASS = IssueCode(
    "no-default-storage-class",
    Severity.WARNING,
    "Volumes that name no storage class, as caches of pipelines do, would wait for ever.",
)
PROBE_FAILED = IssueCode(
    "probe-failed", Severity.ERROR, "A pod that tried to build did not come to its end."
)
REGISTRY_OUT_OF_REACH = IssueCode(
    "registry-out-of-reach",
    Severity.ERROR,
    "Pods cannot read or write the repository that images shall go to.",
)
NOT_LOOKED_AT = IssueCode(
    "not-looked-at", Severity.NOTICE, "Something could not be looked at, because we may not."
)
