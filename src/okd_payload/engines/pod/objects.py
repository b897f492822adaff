# SPDX-License-Identifier: Apache-2.0
"""The parts of a pod that we write, as Kubernetes names them.

Only what we set is here. Tekton's steps and Shipwright's are containers with other names for
some fields, so these parts are the common ground, and each engine puts them together.
"""

from __future__ import annotations

from okd_payload.engines.manifests import Part


class EnvironmentVariable(Part, frozen=True, kw_only=True):
    """A variable of a container; never a secret."""

    name: str
    value: str


class Capabilities(Part, frozen=True, kw_only=True):
    """Linux capabilities given and taken."""

    add: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()


class SeccompProfile(Part, frozen=True, kw_only=True):
    """Which system calls are let through."""

    type: str


class ContainerSecurity(Part, frozen=True, kw_only=True):
    """The security context of one container."""

    allow_privilege_escalation: bool | None = None
    privileged: bool | None = None
    run_as_user: int | None = None
    run_as_group: int | None = None
    run_as_non_root: bool | None = None
    read_only_root_filesystem: bool | None = None
    capabilities: Capabilities | None = None
    seccomp_profile: SeccompProfile | None = None


class PodSecurity(Part, frozen=True, kw_only=True):
    """The security context of a whole pod."""

    run_as_non_root: bool | None = None
    run_as_user: int | None = None
    run_as_group: int | None = None
    fs_group: int | None = None
    seccomp_profile: SeccompProfile | None = None


class Quantities(
    Part, frozen=True, kw_only=True, rename={"ephemeral_storage": "ephemeral-storage"}
):
    """Amounts of what a container uses, as Kubernetes writes quantities."""

    cpu: str = ""
    memory: str = ""
    ephemeral_storage: str = ""


class Requirements(Part, frozen=True, kw_only=True):
    """What a container is promised, and what it may use at most."""

    requests: Quantities = Quantities()
    limits: Quantities = Quantities()


class EmptyDirectory(Part, frozen=True, kw_only=True):
    """A folder that lives as long as the pod."""


class KeyToPath(Part, frozen=True, kw_only=True):
    """One entry of a Secret or ConfigMap, and the file it becomes."""

    key: str
    path: str


class SecretFiles(Part, frozen=True, kw_only=True):
    """The entries of a Secret as files."""

    secret_name: str
    items: tuple[KeyToPath, ...] = ()


class ConfigMapFiles(Part, frozen=True, kw_only=True):
    """The entries of a ConfigMap as files."""

    name: str
    items: tuple[KeyToPath, ...] = ()


class Volume(Part, frozen=True, kw_only=True):
    """Something that containers mount; exactly one kind is set."""

    name: str
    empty_dir: EmptyDirectory | None = None
    secret: SecretFiles | None = None
    config_map: ConfigMapFiles | None = None


class VolumeMount(Part, frozen=True, kw_only=True):
    """Where a container sees a volume."""

    name: str
    mount_path: str
    read_only: bool | None = None


class Container(Part, frozen=True, kw_only=True):
    """A container of a pod that nobody but Kubernetes makes of its description."""

    name: str
    image: str
    command: tuple[str, ...]
    args: tuple[str, ...]
    env: tuple[EnvironmentVariable, ...]
    working_dir: str
    volume_mounts: tuple[VolumeMount, ...]
    resources: Requirements
    security_context: ContainerSecurity
    termination_message_policy: str | None = None


class PodSpec(Part, frozen=True, kw_only=True):
    """What such a pod is to be."""

    init_containers: tuple[Container, ...] = ()
    containers: tuple[Container, ...]
    volumes: tuple[Volume, ...]
    security_context: PodSecurity
    active_deadline_seconds: int | None = None
    restart_policy: str | None = None
    service_account_name: str = ""
    automount_service_account_token: bool | None = None
    host_users: bool | None = None
