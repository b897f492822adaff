# SPDX-License-Identifier: Apache-2.0
"""Pods run as a service account, which must be there."""

from __future__ import annotations

from okd_payload.testing.kubernetes.admission import AdmissionRequest, Operation
from okd_payload.testing.kubernetes.documents import JsonObject, list_at, object_at
from okd_payload.testing.kubernetes.statuses import forbidden


def name_service_account(document: JsonObject, request: AdmissionRequest) -> JsonObject:
    """A new pod with the account ``default`` where it names none. Refuses one that is absent."""
    if request.resource.name != "pods" or request.operation is not Operation.CREATE:
        return document
    spec = dict(object_at(document, "spec"))
    name = str(spec.get("serviceAccountName") or spec.get("serviceAccount") or "default")
    account = request.objects.find("serviceaccounts", request.namespace, name)
    if account is None:
        why = (
            f"error looking up service account {request.namespace}/{name}: "
            f'serviceaccount "{name}" not found'
        )
        raise forbidden(request.resource, request.name, why)
    spec["serviceAccountName"] = spec["serviceAccount"] = name
    secrets = list_at(account, "imagePullSecrets")
    if secrets and not spec.get("imagePullSecrets"):
        spec["imagePullSecrets"] = secrets
    return {**document, "spec": spec}
