# SPDX-License-Identifier: Apache-2.0
"""What the API server fills into pods, as far as anybody looks at it.

The volume with the token of the service account and the tolerations of node failures are left
out: nothing here runs a pod or loses a node.
"""

from __future__ import annotations

from okd_payload.testing.kubernetes.admission import AdmissionRequest, Operation
from okd_payload.testing.kubernetes.documents import JsonObject, list_at, object_at

_POD: JsonObject = {
    "restartPolicy": "Always",
    "terminationGracePeriodSeconds": 30,
    "dnsPolicy": "ClusterFirst",
    "securityContext": {},
    "schedulerName": "default-scheduler",
    "priority": 0,
    "enableServiceLinks": True,
    "preemptionPolicy": "PreemptLowerPriority",
}
_CONTAINER: JsonObject = {
    "resources": {},
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}


def fill_pod(document: JsonObject, request: AdmissionRequest) -> JsonObject:
    """A new pod with the defaults of the server, and its quality of service."""
    if request.resource.name != "pods" or request.operation is not Operation.CREATE:
        return document
    spec = {**_POD, **object_at(document, "spec")}
    for group in ("initContainers", "containers"):
        if group in spec:
            spec[group] = [_fill(each) for each in list_at(spec, group)]
    status = {**object_at(document, "status"), "qosClass": _quality(spec)}
    return {**document, "spec": spec, "status": status}


def _fill(container: JsonObject) -> JsonObject:
    image = str(container.get("image", ""))
    tag = image.rpartition("/")[2].partition(":")[2]
    always = "@" not in image and tag in ("", "latest")
    resources = object_at(container, "resources")
    limits = object_at(resources, "limits")
    if limits:
        requests = {**limits, **object_at(resources, "requests")}
        container = {**container, "resources": {**resources, "requests": requests}}
    policy = {"imagePullPolicy": "Always" if always else "IfNotPresent"}
    return {**_CONTAINER, **policy, **container}


def _quality(spec: JsonObject) -> str:
    """The quality of service that a pod gets from its requests and limits."""
    resources = [object_at(each, "resources") for each in list_at(spec, "containers")]
    if not any(each.get("limits") or each.get("requests") for each in resources):
        return "BestEffort"
    guaranteed = all(
        object_at(each, "limits") == object_at(each, "requests")
        and {"cpu", "memory"} <= set(object_at(each, "limits"))
        for each in resources
    )
    return "Guaranteed" if guaranteed else "Burstable"
