# SPDX-License-Identifier: Apache-2.0
"""Which fields of which kinds name an object of another kind, as kustomize 5.5 has it.

An IngressClass is not among them: kustomize looks for a group of it that does not exist.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from okd_payload.catalog.kustomize.field_specs import FieldSpec, field_spec
from okd_payload.catalog.kustomize.workloads import POD_SPECS

_RBAC = "rbac.authorization.k8s.io"
_WEBHOOKS = "admissionregistration.k8s.io"


class Reference(msgspec.Struct, frozen=True):
    """A field, and the kind that it names an object of."""

    target: FieldSpec
    field: FieldSpec


def _in_pods(paths: tuple[str, ...], kinds: tuple[str, ...]) -> Iterator[FieldSpec]:
    for kind in kinds:
        for path in paths:
            yield field_spec("/".join((*POD_SPECS[kind], path)), kind)


_PODS = (
    "Pod",
    "PodTemplate",
    "Deployment",
    "ReplicaSet",
    "DaemonSet",
    "StatefulSet",
    "Job",
    "CronJob",
)
_RUNNERS = (
    "Pod",
    "StatefulSet",
    "Deployment",
    "ReplicationController",
    "CronJob",
    "Job",
    "DaemonSet",
)


def _of_containers(resource: str) -> tuple[str, ...]:
    """Where containers take variables and files from a ConfigMap or a Secret."""
    return tuple(
        f"{containers}/{field}"
        for containers in ("containers", "initContainers")
        for field in (f"env/valueFrom/{resource}KeyRef/name", f"envFrom/{resource}Ref/name")
    )


_ROLES = (
    field_spec("rules/resourceNames", "Role"),
    field_spec("rules/resourceNames", "ClusterRole"),
)
_BY_KIND: dict[FieldSpec, tuple[FieldSpec, ...]] = {
    **{
        field_spec("", kind): (field_spec("spec/scaleTargetRef/name", "HorizontalPodAutoscaler"),)
        for kind in ("Deployment", "ReplicationController", "ReplicaSet", "StatefulSet")
    },
    field_spec("", "ConfigMap", version="v1"): (
        *_in_pods(
            (
                "volumes/configMap/name",
                *_of_containers("configMap"),
                "volumes/projected/sources/configMap/name",
            ),
            _PODS,
        ),
        field_spec("spec/configSource/configMap", "Node"),
        *_ROLES,
        FieldSpec(
            ("metadata", "annotations", "nginx.ingress.kubernetes.io/fastcgi-params-configmap"),
            "Ingress",
        ),
    ),
    field_spec("", "Secret", version="v1"): (
        *_in_pods(
            (
                "volumes/secret/secretName",
                *_of_containers("secret"),
                "imagePullSecrets/name",
                "volumes/projected/sources/secret/name",
            ),
            _PODS,
        ),
        field_spec("spec/tls/secretName", "Ingress"),
        *(
            FieldSpec(("metadata", "annotations", name), "Ingress")
            for name in (
                "ingress.kubernetes.io/auth-secret",
                "nginx.ingress.kubernetes.io/auth-secret",
                "nginx.ingress.kubernetes.io/auth-tls-secret",
            )
        ),
        field_spec("imagePullSecrets/name", "ServiceAccount"),
        *(
            field_spec(f"parameters/{name}", "StorageClass")
            for name in ("secretName", "adminSecretName", "userSecretName", "secretRef")
        ),
        *_ROLES,
        field_spec(
            "spec/template/spec/containers/env/valueFrom/secretKeyRef/name",
            "Service",
            group="serving.knative.dev",
            version="v1",
        ),
        field_spec("spec/azureFile/secretName", "PersistentVolume"),
    ),
    field_spec("", "Service", version="v1"): (
        field_spec("spec/serviceName", "StatefulSet", group="apps"),
        field_spec("spec/rules/http/paths/backend/serviceName", "Ingress"),
        field_spec("spec/backend/serviceName", "Ingress"),
        field_spec("spec/rules/http/paths/backend/service/name", "Ingress"),
        field_spec("spec/defaultBackend/service/name", "Ingress"),
        field_spec("spec/service/name", "APIService", group="apiregistration.k8s.io"),
        field_spec(
            "webhooks/clientConfig/service", "ValidatingWebhookConfiguration", group=_WEBHOOKS
        ),
        field_spec(
            "webhooks/clientConfig/service", "MutatingWebhookConfiguration", group=_WEBHOOKS
        ),
    ),
    field_spec("", "Role", group=_RBAC): (field_spec("roleRef/name", "RoleBinding", group=_RBAC),),
    field_spec("", "ClusterRole", group=_RBAC): (
        field_spec("roleRef/name", "RoleBinding", group=_RBAC),
        field_spec("roleRef/name", "ClusterRoleBinding", group=_RBAC),
    ),
    field_spec("", "ServiceAccount", version="v1"): (
        field_spec("subjects", "RoleBinding", group=_RBAC),
        field_spec("subjects", "ClusterRoleBinding", group=_RBAC),
        *_in_pods(("serviceAccountName",), _RUNNERS),
    ),
    field_spec("", "PersistentVolumeClaim", version="v1"): tuple(
        _in_pods(("volumes/persistentVolumeClaim/claimName",), _RUNNERS)
    ),
    field_spec("", "PersistentVolume", version="v1"): (
        field_spec("spec/volumeName", "PersistentVolumeClaim"),
        field_spec("rules/resourceNames", "ClusterRole"),
    ),
    field_spec("", "StorageClass", group="storage.k8s.io", version="v1"): (
        field_spec("spec/storageClassName", "PersistentVolume"),
        field_spec("spec/storageClassName", "PersistentVolumeClaim"),
        field_spec("spec/volumeClaimTemplates/spec/storageClassName", "StatefulSet"),
    ),
    field_spec("", "PriorityClass", group="scheduling.k8s.io", version="v1"): tuple(
        _in_pods(("priorityClassName",), _RUNNERS)
    ),
}
REFERENCES = tuple(
    Reference(target, field) for target, fields in _BY_KIND.items() for field in fields
)
