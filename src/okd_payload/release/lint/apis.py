# SPDX-License-Identifier: Apache-2.0
"""Kubernetes APIs that are no longer served, or will not be.

The table is that of the Kubernetes project's "Deprecated API Migration Guide". Of which version
of Kubernetes a payload brings, one of its images says in its labels; when none does, what was
removed long ago is told as deprecated.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from okd_payload.issues import Issue
from okd_payload.release.lint import codes
from okd_payload.release.lint.subject import Subject
from okd_payload.release.versions import declared_by


class _Removal(NamedTuple):
    api_version: str
    kinds: tuple[str, ...]
    minor: int
    """The minor version of Kubernetes 1 that no longer serves it."""
    instead: str


_REMOVALS = (
    _Removal("extensions/v1beta1", ("DaemonSet", "Deployment", "ReplicaSet"), 16, "apps/v1"),
    _Removal("extensions/v1beta1", ("NetworkPolicy",), 16, "networking.k8s.io/v1"),
    _Removal("extensions/v1beta1", ("PodSecurityPolicy",), 16, "pod security admission"),
    _Removal("apps/v1beta1", ("Deployment", "ReplicaSet", "StatefulSet"), 16, "apps/v1"),
    _Removal(
        "apps/v1beta2", ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"), 16, "apps/v1"
    ),
    _Removal(
        "admissionregistration.k8s.io/v1beta1",
        ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"),
        22,
        "admissionregistration.k8s.io/v1",
    ),
    _Removal(
        "apiextensions.k8s.io/v1beta1", ("CustomResourceDefinition",), 22, "apiextensions.k8s.io/v1"
    ),
    _Removal("apiregistration.k8s.io/v1beta1", ("APIService",), 22, "apiregistration.k8s.io/v1"),
    _Removal("authentication.k8s.io/v1beta1", ("TokenReview",), 22, "authentication.k8s.io/v1"),
    _Removal(
        "authorization.k8s.io/v1beta1",
        ("LocalSubjectAccessReview", "SelfSubjectAccessReview", "SubjectAccessReview"),
        22,
        "authorization.k8s.io/v1",
    ),
    _Removal(
        "certificates.k8s.io/v1beta1",
        ("CertificateSigningRequest",),
        22,
        "certificates.k8s.io/v1",
    ),
    _Removal("coordination.k8s.io/v1beta1", ("Lease",), 22, "coordination.k8s.io/v1"),
    _Removal("extensions/v1beta1", ("Ingress",), 22, "networking.k8s.io/v1"),
    _Removal("networking.k8s.io/v1beta1", ("Ingress", "IngressClass"), 22, "networking.k8s.io/v1"),
    _Removal(
        "rbac.authorization.k8s.io/v1beta1",
        ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"),
        22,
        "rbac.authorization.k8s.io/v1",
    ),
    _Removal("scheduling.k8s.io/v1beta1", ("PriorityClass",), 22, "scheduling.k8s.io/v1"),
    _Removal(
        "storage.k8s.io/v1beta1",
        ("CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"),
        22,
        "storage.k8s.io/v1",
    ),
    _Removal("batch/v1beta1", ("CronJob",), 25, "batch/v1"),
    _Removal("discovery.k8s.io/v1beta1", ("EndpointSlice",), 25, "discovery.k8s.io/v1"),
    _Removal("events.k8s.io/v1beta1", ("Event",), 25, "events.k8s.io/v1"),
    _Removal("autoscaling/v2beta1", ("HorizontalPodAutoscaler",), 25, "autoscaling/v2"),
    _Removal("policy/v1beta1", ("PodDisruptionBudget",), 25, "policy/v1"),
    _Removal("policy/v1beta1", ("PodSecurityPolicy",), 25, "pod security admission"),
    _Removal("node.k8s.io/v1beta1", ("RuntimeClass",), 25, "node.k8s.io/v1"),
    _Removal(
        "flowcontrol.apiserver.k8s.io/v1beta1",
        ("FlowSchema", "PriorityLevelConfiguration"),
        26,
        "flowcontrol.apiserver.k8s.io/v1",
    ),
    _Removal("autoscaling/v2beta2", ("HorizontalPodAutoscaler",), 26, "autoscaling/v2"),
    _Removal("storage.k8s.io/v1beta1", ("CSIStorageCapacity",), 27, "storage.k8s.io/v1"),
    _Removal(
        "flowcontrol.apiserver.k8s.io/v1beta2",
        ("FlowSchema", "PriorityLevelConfiguration"),
        29,
        "flowcontrol.apiserver.k8s.io/v1",
    ),
    _Removal(
        "flowcontrol.apiserver.k8s.io/v1beta3",
        ("FlowSchema", "PriorityLevelConfiguration"),
        32,
        "flowcontrol.apiserver.k8s.io/v1",
    ),
)
_BY_KIND = {(removal.api_version, kind): removal for removal in _REMOVALS for kind in removal.kinds}


def check_apis(subject: Subject) -> Iterator[Issue]:
    """Objects of APIs that the release's own Kubernetes does not serve, or a later one will not."""
    minor = _kubernetes_minor(subject)
    for item in subject.objects:
        removal = _BY_KIND.get((item.api_version, item.key.kind))
        if removal is None:
            continue
        removed = minor is not None and minor >= removal.minor
        yield item.issue(
            codes.REMOVED_API if removed else codes.DEPRECATED_API,
            f"uses {removal.api_version}, which Kubernetes does not serve"
            f" {'since' if removed else 'from'} 1.{removal.minor}"
            + (f", and the release has 1.{minor}" if removed else " on"),
            hint=f"use {removal.instead}",
        )


def _kubernetes_minor(subject: Subject) -> int | None:
    """The minor version of the payload's own Kubernetes, as one of its images declares it."""
    for tag in subject.tags:
        declared = declared_by(tag.annotations).get("kubernetes")
        if declared is not None:
            major, minor, _ = declared.version.split(".", 2)
            return int(minor) if major == "1" else None
    return None
