# SPDX-License-Identifier: Apache-2.0
"""What tells one Kubernetes object from another, and which kinds belong to no namespace.

A kind that the table does not know counts as namespaced, as it does for kustomize: the table is
that of Kubernetes 1.21, which is what kustomize 5.5 carries.
"""

from __future__ import annotations

from typing import Any

import msgspec

DEFAULT_NAMESPACE = "default"

_CLUSTER_SCOPED = {
    "v1": {"ComponentStatus", "Namespace", "Node", "PersistentVolume"},
    "admissionregistration.k8s.io/v1": {
        "MutatingWebhookConfiguration",
        "ValidatingWebhookConfiguration",
    },
    "apiextensions.k8s.io/v1": {"CustomResourceDefinition"},
    "apiregistration.k8s.io/v1": {"APIService"},
    "certificates.k8s.io/v1": {"CertificateSigningRequest"},
    "flowcontrol.apiserver.k8s.io/v1beta1": {"FlowSchema", "PriorityLevelConfiguration"},
    "networking.k8s.io/v1": {"IngressClass"},
    "node.k8s.io/v1": {"RuntimeClass"},
    "policy/v1beta1": {"PodSecurityPolicy"},
    "rbac.authorization.k8s.io/v1": {"ClusterRole", "ClusterRoleBinding"},
    "scheduling.k8s.io/v1": {"PriorityClass"},
    "storage.k8s.io/v1": {"CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"},
}
_CLUSTER_SCOPED |= {
    f"{version}beta1": kinds
    for version, kinds in _CLUSTER_SCOPED.items()
    if version.endswith("/v1")
}


class Identity(msgspec.Struct, frozen=True):
    """Group, version, kind, namespace and name; an empty namespace means the default one."""

    api_version: str
    kind: str
    namespace: str
    name: str

    @property
    def group(self) -> str:
        """The API group, empty for the core one."""
        group, slash, _ = self.api_version.partition("/")
        return group if slash else ""

    @property
    def version(self) -> str:
        """The version within the API group."""
        return self.api_version.rpartition("/")[2]

    @property
    def is_cluster_scoped(self) -> bool:
        """Whether objects of this kind are known to have no namespace."""
        return self.kind in _CLUSTER_SCOPED.get(self.api_version, ())

    @property
    def effective_namespace(self) -> str:
        """The namespace that the object ends up in, empty when its kind has none."""
        return "" if self.is_cluster_scoped else self.namespace or DEFAULT_NAMESPACE

    def is_same(self, other: Identity) -> bool:
        """Whether both name one object, the default namespace written out or not."""
        return (
            self.api_version == other.api_version
            and self.kind == other.kind
            and self.name == other.name
            and self.effective_namespace == other.effective_namespace
        )

    def __str__(self) -> str:
        place = f" in {self.namespace}" if self.namespace else ""
        return f"{self.kind} {self.name}{place}"


def identity_of(value: Any) -> Identity:
    """The identity that ``value`` gives itself; parts that it lacks are empty."""
    metadata = value.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    return Identity(
        api_version=_text_of(value.get("apiVersion")),
        kind=_text_of(value.get("kind")),
        namespace=_text_of(metadata.get("namespace")),
        name=_text_of(metadata.get("name")),
    )


def _text_of(value: Any) -> str:
    return "" if value is None else str(value)
