# SPDX-License-Identifier: Apache-2.0
"""Whether the cluster lets pods through that build: by its namespace's labels, and its nodes.

The labels are those of https://kubernetes.io/docs/concepts/security/pod-security-admission/; what
a pod's user namespace needs stands in
https://kubernetes.io/docs/concepts/workloads/pods/user-namespaces/. What other policies of a
cluster refuse can only be tried, which ``trial`` does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from okd_payload.engines.pod.readiness import codes
from okd_payload.engines.pod.readiness.objects import Named, Node
from okd_payload.engines.pod.security import (
    ENFORCED_LEVEL,
    SecurityProfile,
    admits,
    build_rights,
)
from okd_payload.issues import Issue

_MOST_LENIENT = "privileged"
_FIRST_WITH_NAMESPACES = (1, 33)
"""Kubernetes from which pods get user namespaces without a feature gate."""
_FIRST_KERNEL = (6, 3)
"""Linux from which all volumes of a pod can be seen through one."""


def enforced_level(namespace: Named) -> str:
    """The pod security level that the namespace enforces; the most lenient when it says none."""
    return namespace.metadata.labels.get(ENFORCED_LEVEL, _MOST_LENIENT)


def judge_level(namespace: Named, profile: SecurityProfile) -> list[Issue]:
    """Whether pods that build with this profile are admitted."""
    level, needed = enforced_level(namespace), build_rights(profile).admission_level
    if admits(level, needed):
        return []
    name = namespace.metadata.name
    return [
        codes.POD_SECURITY_TOO_STRICT.issue(
            f"namespace {name} enforces pod security level {level}, builds need {needed}",
            hint=f"`kubectl label --overwrite namespace {name} {ENFORCED_LEVEL}={needed}`, or use "
            "a namespace that has it",
        )
    ]


def judge_user_namespaces(nodes: Sequence[Node], profile: SecurityProfile) -> list[Issue]:
    """Whether pods get the user namespaces that this profile asks for."""
    if profile is not SecurityProfile.USER_NAMESPACE:
        return []
    without = [node.metadata.name for node in nodes if node.takes_pods and not _separates(node)]
    if not without:
        return []
    some = ", ".join(sorted(without)[:3])
    more = f" and {len(without) - 3} more" if len(without) > 3 else ""
    return [
        codes.NO_POD_USER_NAMESPACES.issue(
            f"pods get no user namespaces on {some}{more}",
            hint="they need Kubernetes 1.33, Linux 6.3, and containerd 2 or CRI-O 1.25; until "
            "then build with `--pod-security capabilities`",
        )
    ]


def lost_user_namespace() -> Issue:
    """The issue for a server that drops the wish for a user namespace."""
    return codes.NO_POD_USER_NAMESPACES.issue(
        "the API server drops `hostUsers: false`: builds would run in the node's user namespace",
        hint="switch on the feature gate UserNamespacesSupport, or say what you get with "
        "`--pod-security capabilities`",
    )


def _separates(node: Node) -> bool:
    """Whether the node can give a pod a user namespace."""
    told = [handler for handler in node.status.runtime_handlers if not handler.name]
    if told:  # the runtime says it itself
        return told[0].features.user_namespaces
    info = node.status.node_info
    kubelet, kernel = _version(info.kubelet_version), _version(info.kernel_version)
    return kubelet >= _FIRST_WITH_NAMESPACES and kernel >= _FIRST_KERNEL


def _version(text: str) -> tuple[int, int]:
    found = re.match(r"v?(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)
