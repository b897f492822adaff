# SPDX-License-Identifier: Apache-2.0
"""Whether one build fits: into a node, the limits of the namespace, and what is left of its quota.

Pure judgement. A build is what components get that do not say what they need; those that ask for
more may still find no room, and say so when they wait.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from okd_payload.engines.pod.objects import Requirements
from okd_payload.engines.pod.readiness import codes
from okd_payload.engines.pod.readiness.objects import LimitRange, Node, ResourceQuota
from okd_payload.engines.quantities import size_of
from okd_payload.errors import InputError
from okd_payload.issues import Issue

_FEW = 4
"""Builds at a time below which a quota is worth a word."""
_LIMITED = frozenset({"Container", "Pod"})


def judge_nodes(nodes: Sequence[Node], needed: Requirements) -> list[Issue]:
    """Whether any node can take a build."""
    usable = [
        node
        for node in nodes
        if node.takes_pods and node.status.node_info.operating_system in {"", "linux"}
    ]
    if not usable:
        issue = codes.NO_ROOM.issue(
            f"none of {len(nodes)} nodes takes pods of Linux",
            hint="`kubectl get nodes` says which are not ready or cordoned",
        )
        return [issue]
    asked = {"cpu": needed.requests.cpu, "memory": needed.requests.memory}
    if any(_fits(asked, node.status.allocatable) for node in usable):
        return []
    return [
        codes.NO_ROOM.issue(
            f"no node is large enough for one build, which asks for {_told(asked)}",
            hint="add a larger node, or give components smaller `resources.requests`",
        )
    ]


def judge_limits(ranges: Sequence[LimitRange], needed: Requirements) -> list[Issue]:
    """Whether the limits of the namespace allow a build."""
    asked = {
        ("maximum", "cpu"): needed.limits.cpu,
        ("maximum", "memory"): needed.limits.memory,
        ("minimum", "cpu"): needed.requests.cpu,
        ("minimum", "memory"): needed.requests.memory,
    }
    issues = []
    for limits in ranges:
        for limit in limits.spec.limits:
            bounds = {"maximum": limit.max, "minimum": limit.min}
            for (side, resource), amount in asked.items():
                bound = bounds[side].get(resource, "")
                if limit.type in _LIMITED and _breaks(side, amount, bound):
                    issues.append(
                        codes.NO_ROOM.issue(
                            f"LimitRange {limits.metadata.name} has a {side} of {bound} {resource} "
                            f"per {limit.type}, a build has {amount}",
                            hint="have it changed, or give components other `resources`",
                        )
                    )
    return issues


def judge_quotas(quotas: Sequence[ResourceQuota], needed: Requirements) -> list[Issue]:
    """Whether the quotas of the namespace have room for a build, and for some at a time."""
    asked = {
        "pods": "1",
        "cpu": needed.requests.cpu,
        "memory": needed.requests.memory,
        "requests.cpu": needed.requests.cpu,
        "requests.memory": needed.requests.memory,
        "requests.ephemeral-storage": needed.requests.ephemeral_storage,
        "limits.cpu": needed.limits.cpu,
        "limits.memory": needed.limits.memory,
    }
    issues = []
    for quota in quotas:
        hard, used = quota.status.hard, quota.status.used
        for resource, amount in asked.items():
            if resource not in hard or not amount:
                continue
            whole, left = _size(hard[resource]), _size(hard[resource]) - _size(used.get(resource))
            if whole < _size(amount):
                issues.append(
                    codes.NO_ROOM.issue(
                        f"ResourceQuota {quota.metadata.name} has {hard[resource]} {resource} in "
                        f"all, one build takes {amount}",
                        hint="ask for a higher quota, or give components smaller `resources`",
                    )
                )
            elif left < _size(amount) * _FEW:
                issues.append(
                    codes.LITTLE_ROOM.issue(
                        f"ResourceQuota {quota.metadata.name} has room for "
                        f"{max(0, int(left / _size(amount)))} builds now: {resource} is "
                        f"{used.get(resource, '0')} of {hard[resource]}, one build takes {amount}",
                        hint="builds wait for each other then; build with no more --jobs than that",
                    )
                )
    return issues


def _fits(asked: Mapping[str, str], room: Mapping[str, str]) -> bool:
    return all(
        resource not in room or _size(amount) <= _size(room[resource])
        for resource, amount in asked.items()
    )


def _breaks(side: str, amount: str, bound: str) -> bool:
    limit = _size(bound)
    if not bound or not amount or limit == float("inf"):
        return False
    return _size(amount) > limit if side == "maximum" else _size(amount) < limit


def _size(quantity: str | None) -> float:
    """The quantity as a number; what nobody here can read is no bound."""
    try:
        return size_of(quantity or "0")
    except InputError:
        return float("inf")


def _told(asked: Mapping[str, str]) -> str:
    return " and ".join(f"{amount} {resource}" for resource, amount in asked.items())
