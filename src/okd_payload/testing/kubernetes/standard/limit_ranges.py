# SPDX-License-Identifier: Apache-2.0
"""Limit ranges: defaults and bounds for the containers of a namespace's pods.

As the admission plugin LimitRanger: first what is not said is filled in, then bounds are checked.
Limits of the type Container alone; those of pods and of volume claims are not imitated.
"""

from __future__ import annotations

from collections.abc import Iterator

from okd_payload.testing.kubernetes.admission import AdmissionRequest, Operation
from okd_payload.testing.kubernetes.documents import JsonObject, list_at, object_at
from okd_payload.testing.kubernetes.quantities import read_quantity
from okd_payload.testing.kubernetes.statuses import forbidden

_GROUPS = ("initContainers", "containers")


def fill_limits(document: JsonObject, request: AdmissionRequest) -> JsonObject:
    """A new pod with the limits and requests that its namespace has for those without."""
    if not _is_new_pod(request):
        return document
    for item in _items(request):
        limits, requests = object_at(item, "default"), object_at(item, "defaultRequest")
        if not limits and not requests:
            continue
        spec = dict(object_at(document, "spec"))
        for group in _GROUPS:
            if group in spec:
                spec[group] = [_filled(each, limits, requests) for each in list_at(spec, group)]
        document = {**document, "spec": spec}
    return document


def check_limits(document: JsonObject, request: AdmissionRequest) -> None:
    """Refuse a pod with a container outside of the bounds of its namespace."""
    if not _is_new_pod(request):
        return
    problems = [
        problem
        for item in _items(request)
        for group in _GROUPS
        for container in list_at(document, "spec", group)
        for problem in _problems(container, item)
    ]
    if problems:
        told = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
        raise forbidden(request.resource, request.name, told)


def _problems(container: JsonObject, item: JsonObject) -> Iterator[str]:
    resources = object_at(container, "resources")
    limits, requests = object_at(resources, "limits"), object_at(resources, "requests")
    for name, least in object_at(item, "min").items():
        given, bound = read_quantity(requests.get(name)), read_quantity(least)
        if given is None:
            yield (f"minimum {name} usage per Container is {least}.  No request is specified")
        elif bound is not None and given.amount < bound.amount:
            yield (
                f"minimum {name} usage per Container is {least}, but request is {requests[name]}"
            )
    for name, most in object_at(item, "max").items():
        given, bound = read_quantity(limits.get(name)), read_quantity(most)
        if given is None:
            yield f"maximum {name} usage per Container is {most}.  No limit is specified"
        elif bound is not None and given.amount > bound.amount:
            yield f"maximum {name} usage per Container is {most}, but limit is {limits[name]}"


def _filled(container: JsonObject, limits: JsonObject, requests: JsonObject) -> JsonObject:
    resources = object_at(container, "resources")
    own_limits, own_requests = object_at(resources, "limits"), object_at(resources, "requests")
    merged = {
        "limits": {**limits, **own_limits},
        "requests": {**requests, **own_limits, **own_requests},
    }
    return {**container, "resources": {**resources, **{k: v for k, v in merged.items() if v}}}


def _items(request: AdmissionRequest) -> Iterator[JsonObject]:
    for each in request.objects.all_of("limitranges", request.namespace):
        for item in list_at(each, "spec", "limits"):
            if item.get("type") == "Container":
                yield item


def _is_new_pod(request: AdmissionRequest) -> bool:
    return request.resource.name == "pods" and request.operation is Operation.CREATE
