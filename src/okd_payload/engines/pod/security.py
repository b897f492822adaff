# SPDX-License-Identifier: Apache-2.0
"""Which rights a pod that builds images needs, each with its reason.

Buildah builds with chroot isolation, as everywhere, so no runtime, no ``/dev/fuse`` and no
device is asked for. It needs to make mounts and to own files as any user, and makes a user
namespace of its own for that: the pod runs as an ordinary user, and needs no more than two
capabilities, by which ``newuidmap`` and ``newgidmap`` give that namespace its ids. Three ways
lead there: with a namespace of the kubelet's around it, without, and, where security modules of
the nodes let neither through, as a privileged pod. What only plans, pushes or assembles has no
right at all, which every namespace admits. What was tried, and how each trial ended, stands in
``docs/explanation/the-tools-image.md``.
"""

from __future__ import annotations

import enum

import msgspec

from okd_payload.engines.pod.objects import (
    Capabilities,
    ContainerSecurity,
    PodSecurity,
    SeccompProfile,
)

ENFORCED_LEVEL = "pod-security.kubernetes.io/enforce"
"""The label by which a namespace says which pods it admits; without it, all."""
_LEVELS = ("privileged", "baseline", "restricted")
"""Of pod security admission, from the one that lets everything through to the strictest."""
TOOL_USER = 1000
"""The user of the tool's image, and its group: by them the image knows which ids are its own."""


class SecurityProfile(enum.Enum):
    """How a pod may build: chosen by what the cluster's nodes and admission let through."""

    USER_NAMESPACE = "userns"
    """As an ordinary user, whose two capabilities reach nothing outside a user namespace of the
    pod (``hostUsers: false``; Kubernetes 1.33, or earlier with the feature gate)."""
    CAPABILITIES = "capabilities"
    """As an ordinary user of the node's user namespace, with these two capabilities."""
    PRIVILEGED = "privileged"
    """Everything; where the two others are refused by the node's security modules."""


class Capability(msgspec.Struct, frozen=True):
    """A Linux capability, and why builds cannot do without it."""

    name: str
    reason: str


BUILD_CAPABILITIES = (
    Capability("SETGID", "newgidmap gives the user namespace of a build its groups"),
    Capability("SETUID", "newuidmap gives the user namespace of a build its users"),
)
"""What a build pod keeps: files of an image belong to many users. Both are capabilities of the
two programs in the tool's image, not of the user who runs them."""


class PodRights(msgspec.Struct, frozen=True, kw_only=True):
    """What a pod and its one container ask of the cluster."""

    container: ContainerSecurity
    pod: PodSecurity = PodSecurity()
    host_users: bool | None = None
    """False for a user namespace of its own; None leaves it to the cluster."""
    admission_level: str
    """The strictest level of pod security admission that lets it through."""


def admits(enforced: str, needed: str) -> bool:
    """Whether a namespace of the level ``enforced`` admits a pod that needs ``needed``.

    A level that nobody here knows, or none at all, is for the cluster itself to judge.
    """
    return enforced not in _LEVELS or _LEVELS.index(enforced) <= _LEVELS.index(needed)


def plain_rights() -> PodRights:
    """The rights of a pod that builds nothing: none at all."""
    return PodRights(
        container=ContainerSecurity(
            allow_privilege_escalation=False,
            run_as_non_root=True,
            capabilities=Capabilities(drop=("ALL",)),
            seccomp_profile=SeccompProfile(type="RuntimeDefault"),
        ),
        pod=PodSecurity(
            run_as_non_root=True,
            run_as_user=TOOL_USER,
            run_as_group=TOOL_USER,
            fs_group=TOOL_USER,
            seccomp_profile=SeccompProfile(type="RuntimeDefault"),
        ),
        admission_level="restricted",
    )


def build_rights(profile: SecurityProfile) -> PodRights:
    """The rights of a pod that builds an image."""
    if profile is SecurityProfile.PRIVILEGED:
        container = ContainerSecurity(privileged=True, run_as_user=0, run_as_group=0)
        return PodRights(container=container, admission_level="privileged")
    container = ContainerSecurity(
        allow_privilege_escalation=True,  # else the two programs get no capabilities
        run_as_non_root=True,
        run_as_user=TOOL_USER,
        run_as_group=TOOL_USER,
        capabilities=Capabilities(
            add=tuple(capability.name for capability in BUILD_CAPABILITIES), drop=("ALL",)
        ),
    )
    # No seccomp profile is named: those of runtimes refuse to make namespaces and mounts, and
    # naming "Unconfined" asks for the privileged level of admission. Where the kubelet sets one
    # by itself (seccompDefault), a privileged pod is what is left.
    own_users = False if profile is SecurityProfile.USER_NAMESPACE else None
    return PodRights(container=container, host_users=own_users, admission_level="baseline")
