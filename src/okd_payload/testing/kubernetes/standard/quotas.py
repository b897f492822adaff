# SPDX-License-Identifier: Apache-2.0
"""Resource quotas: counts of objects, and what the pods of a namespace ask for together.

What is used is counted anew from what is there, so a quota is never behind. Scopes of quotas
are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterable

from okd_payload.testing.kubernetes.admission import AdmissionRequest, Objects, Operation
from okd_payload.testing.kubernetes.documents import JsonObject, list_at, object_at, text_at
from okd_payload.testing.kubernetes.quantities import ZERO, Quantity, read_quantity
from okd_payload.testing.kubernetes.resources import Resource
from okd_payload.testing.kubernetes.statuses import forbidden

Amounts = dict[str, Quantity]

_PLAIN = frozenset(
    {
        *("pods", "services", "secrets", "configmaps", "persistentvolumeclaims"),
        *("resourcequotas", "replicationcontrollers"),
    }
)
"""Resources that a quota may name without ``count/``."""
_SHORT = {"cpu": "requests.cpu", "memory": "requests.memory"}
_MUST = ("limits.", "requests.", "cpu", "memory")


def check_quotas(document: JsonObject, request: AdmissionRequest) -> None:
    """Refuse a new object that its namespace has no room for."""
    if request.operation is not Operation.CREATE or request.subresource:
        return
    for quota in request.objects.all_of("resourcequotas", request.namespace):
        hard = hard_limits(quota)
        if request.resource.name == "pods":
            _check_given(document, request, quota, hard)
        wanted = use_of(document, request.resource)
        asked = {name: wanted[name] for name in hard if name in wanted}
        if not asked:
            continue
        used = used_in(request.objects, request.namespace, hard)
        over = sorted(
            name for name in asked if used[name].amount + asked[name].amount > hard[name].amount
        )
        if over:
            why = (
                f"exceeded quota: {text_at(quota, 'metadata', 'name')}, "
                f"requested: {_show(over, asked)}, used: {_show(over, used)}, "
                f"limited: {_show(over, hard)}"
            )
            raise forbidden(request.resource, request.name, why)


def hard_limits(quota: JsonObject) -> Amounts:
    """The bounds of a quota."""
    hard = object_at(quota, "spec", "hard")
    return {name: read_quantity(value) or ZERO for name, value in hard.items()}


def used_in(objects: Objects, namespace: str, names: Iterable[str]) -> Amounts:
    """What is used in a namespace of each of ``names``."""
    used: Amounts = {}
    pods = [use_of_pod(each) for each in objects.all_of("pods", namespace) if not _ended(each)]
    for name in names:
        resource = name.removeprefix("count/")
        if name.startswith("count/") or (name in _PLAIN and name != "pods"):
            used[name] = _number(len(objects.all_of(resource, namespace)))
        elif name == "pods":
            used[name] = _number(len(pods))
        else:
            total = ZERO
            for each in pods:
                total += each.get(name, ZERO)
            used[name] = total
    return used


def use_of(document: JsonObject, resource: Resource) -> Amounts:
    """What one object uses, under every name that a quota may have for it."""
    counts = {f"count/{resource.name}": _number(1)}
    if resource.name in _PLAIN:
        counts[resource.name] = _number(1)
    return {**counts, **use_of_pod(document)} if resource.name == "pods" else counts


def use_of_pod(pod: JsonObject) -> Amounts:
    """What the containers of a pod ask for together, init containers by their greatest."""
    total: Amounts = {}
    for container in list_at(pod, "spec", "containers"):
        for name, amount in _use_of_container(container).items():
            total[name] = total.get(name, ZERO) + amount
    for container in list_at(pod, "spec", "initContainers"):
        for name, amount in _use_of_container(container).items():
            if amount.amount > total.get(name, ZERO).amount:
                total[name] = amount
    return {**total, **{short: total[full] for short, full in _SHORT.items() if full in total}}


def _use_of_container(container: JsonObject) -> Amounts:
    resources = object_at(container, "resources")
    limits = object_at(resources, "limits")
    requests = {**limits, **object_at(resources, "requests")}
    used = {}
    for group, amounts in (("limits", limits), ("requests", requests)):
        for name, value in amounts.items():
            used[f"{group}.{name}"] = read_quantity(value) or ZERO
    return used


def _check_given(
    pod: JsonObject, request: AdmissionRequest, quota: JsonObject, hard: Amounts
) -> None:
    """Refuse a pod that does not say what a quota counts."""
    missing: dict[str, list[str]] = {}
    containers = [*list_at(pod, "spec", "containers"), *list_at(pod, "spec", "initContainers")]
    for name in sorted(hard):
        if not name.startswith(_MUST):
            continue
        for container in containers:
            if _SHORT.get(name, name) not in _use_of_container(container):
                missing.setdefault(name, []).append(str(container.get("name")))
    if missing:
        told = "; ".join(f"{name} for: {','.join(who)}" for name, who in missing.items())
        quota_name = text_at(quota, "metadata", "name")
        why = f"failed quota: {quota_name}: must specify {told}"
        raise forbidden(request.resource, request.name, why)


def _ended(pod: JsonObject) -> bool:
    return text_at(pod, "status", "phase") in ("Succeeded", "Failed")


def _show(names: Iterable[str], amounts: Amounts) -> str:
    return ",".join(f"{name}={amounts[name]}" for name in names)


def _number(count: int) -> Quantity:
    return read_quantity(count) or ZERO
