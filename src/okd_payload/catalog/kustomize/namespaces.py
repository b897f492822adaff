# SPDX-License-Identifier: Apache-2.0
"""The namespace of all objects, set at once.

Kinds that are known to belong to none are left alone, kinds that are not known get it. A
Namespace object takes the namespace as its name, and of the subjects of role bindings the
service account ``default`` follows; others follow when their object does (``references``).
"""

from __future__ import annotations

from typing import Any

from okd_payload.catalog.kustomize.field_specs import change_field, field_spec
from okd_payload.catalog.kustomize.resource import Resource

_BINDINGS = frozenset({"RoleBinding", "ClusterRoleBinding"})
_OTHER_FIELDS = (
    field_spec("metadata/name", "Namespace", create=True),
    field_spec("spec/service/namespace", "APIService", group="apiregistration.k8s.io", create=True),
    field_spec(
        "spec/conversion/webhook/clientConfig/service/namespace",
        "CustomResourceDefinition",
        group="apiextensions.k8s.io",
    ),
)


def set_namespace(resource: Resource, namespace: str) -> Resource:
    """``resource`` in ``namespace``."""

    def put(_: Any) -> str:
        return namespace

    value, identity = resource.value, resource.identity
    if not identity.is_cluster_scoped:
        value = change_field(value, ("metadata", "namespace"), put, create=True)
    if identity.kind in _BINDINGS and isinstance(value.get("subjects"), list):
        subjects = [_with_namespace(subject, namespace) for subject in value["subjects"]]
        value = {**value, "subjects": subjects}
    for spec in _OTHER_FIELDS:
        if spec.fits(identity):
            value = change_field(value, spec.path, put, create=spec.create)
    return resource.renamed(value)


def _with_namespace(subject: Any, namespace: str) -> Any:
    if isinstance(subject, dict) and subject.get("name") == "default":
        return {**subject, "namespace": namespace}
    return subject
