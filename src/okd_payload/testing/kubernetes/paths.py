# SPDX-License-Identifier: Apache-2.0
"""The paths of the API: which kind, which object, which subresource."""

from __future__ import annotations

import msgspec

from okd_payload.testing.kubernetes.requests import Target
from okd_payload.testing.kubernetes.resources import Resources


class GroupPath(msgspec.Struct, frozen=True):
    """A path that asks for what a group or version holds."""

    group: str
    version: str = ""


def read_path(path: str, resources: Resources) -> Target | GroupPath | None:
    """What ``path`` is about; nothing when the server has no such path."""
    steps = [step for step in path.split("/") if step]
    if not steps:
        return None
    if steps[0] == "api":
        if len(steps) < 2 or steps[1] != "v1":
            return None
        group, version, rest = "", "v1", steps[2:]
    elif steps[0] == "apis" and len(steps) > 1:
        if len(steps) == 2:
            return GroupPath(steps[1])
        group, version, rest = steps[1], steps[2], steps[3:]
    else:
        return None
    if not rest:
        return GroupPath(group, version)
    return _read_target(group, version, rest, resources=resources)


def _read_target(
    group: str, version: str, steps: list[str], *, resources: Resources
) -> Target | None:
    namespace = ""
    if steps[0] == "namespaces" and len(steps) > 2 and not _is_own(group, steps):
        namespace, steps = steps[1], steps[2:]
    resource = resources.served(group, version, steps[0])
    if resource is None or len(steps) > 3:
        return None
    if not resource.namespaced and namespace:
        return None
    name = steps[1] if len(steps) > 1 else ""
    if resource.namespaced and name and not namespace:
        return None
    return Target(
        resource=resource,
        version=version,
        namespace=namespace,
        name=name,
        subresource=steps[2] if len(steps) > 2 else "",
    )


def _is_own(group: str, steps: list[str]) -> bool:
    """Whether the path is about a namespace itself, by one of its subresources."""
    return not group and len(steps) == 3 and steps[2] in ("status", "finalize")
