# SPDX-License-Identifier: Apache-2.0
"""Which rights a pod that builds images needs, each with its reason.

Buildah builds with chroot isolation, as everywhere, so no runtime, no ``/dev/fuse`` and no
device is asked for. It needs to make mounts and to own files as any user, and there are three
ways to have that, from little to much: a user namespace that the kubelet makes, in which root
is nobody outside; root of the node's user namespace with a few capabilities; and a privileged
pod, for nodes on which nothing less is let through. What only plans, pushes or assembles runs
as an ordinary user with nothing at all, which every namespace admits.
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

TOOL_USER = 1000
"""The user of the tool's image, where it is not root."""


class SecurityProfile(enum.Enum):
    """How a pod may build: chosen by what the cluster's nodes and admission let through."""

    USER_NAMESPACE = "userns"
    """Root in a user namespace of the pod (``hostUsers: false``; Kubernetes 1.33, or earlier
    with the feature gate)."""
    CAPABILITIES = "capabilities"
    """Root of the node with the capabilities that builds need, and no other."""
    PRIVILEGED = "privileged"
    """Everything; where the two others are refused by the node's security modules."""


class Capability(msgspec.Struct, frozen=True):
    """A Linux capability, and why builds cannot do without it."""

    name: str
    reason: str


BUILD_CAPABILITIES = (
    Capability("CHOWN", "files of an image belong to many users"),
    Capability("DAC_OVERRIDE", "packages install below folders that root has no permission for"),
    Capability("FOWNER", "modes and times are set on files of other users"),
    Capability("FSETID", "set-user-id bits must survive a write"),
    Capability("MKNOD", "packages bring device files; whiteouts of overlay are such files too"),
    Capability("SETFCAP", "packages give capabilities to files, as iputils does to ping"),
    Capability("SETGID", "RUN instructions change to the group that USER names"),
    Capability("SETPCAP", "buildah drops capabilities before it starts a RUN instruction"),
    Capability("SETUID", "RUN instructions change to the user that USER names"),
    Capability("SYS_ADMIN", "buildah mounts the image's file system, /proc and volumes"),
    Capability("SYS_CHROOT", "chroot isolation"),
)
"""What root in a build pod keeps. In a user namespace they reach nothing outside of it."""


class PodRights(msgspec.Struct, frozen=True, kw_only=True):
    """What a pod and its one container ask of the cluster."""

    container: ContainerSecurity
    pod: PodSecurity = PodSecurity()
    host_users: bool | None = None
    """False for a user namespace of its own; None leaves it to the cluster."""
    admission_level: str
    """The level of pod security admission that lets it through: restricted or privileged."""


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
        allow_privilege_escalation=True,
        run_as_user=0,
        run_as_group=0,
        capabilities=Capabilities(
            add=tuple(capability.name for capability in BUILD_CAPABILITIES), drop=("ALL",)
        ),
        seccomp_profile=SeccompProfile(type="Unconfined"),
    )
    own_users = False if profile is SecurityProfile.USER_NAMESPACE else None
    return PodRights(container=container, host_users=own_users, admission_level="privileged")
