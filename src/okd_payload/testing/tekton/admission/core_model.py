# SPDX-License-Identifier: Apache-2.0
"""Types of Kubernetes that stand in Tekton's specifications, with the fields that Go knows.

``decoding`` reads documents into these structs as strictly as the webhook does, so a field that is
not here is refused where the API passes it on. A field without a default is written even when it
is empty: that is what Go does without ``omitempty``. What pods have beyond this (probes, affinity,
claims) is kept as it came, unread.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

Quantity = Annotated[str, "quantity"]
"""Amounts of processors or bytes."""
Duration = Annotated[str, "duration"]
"""A length of time, in Go's words."""
Unread = Annotated[Any, "unread"]
"""JSON that is kept as it came."""
Raw = "raw"
"""Marks a field below which the API drops no unknown fields: the webhook refuses them."""


class Entity(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """An object of the API, or a part of one; its class has the name of Go's type."""


class KeySelector(Entity, frozen=True, kw_only=True):
    """One key of a ConfigMap or Secret."""

    name: str = ""
    key: str
    optional: bool | None = None


class EnvVarSource(Entity, frozen=True, kw_only=True):
    """Where the value of a variable comes from."""

    field_ref: Unread = None
    resource_field_ref: Unread = None
    config_map_key_ref: KeySelector | None = None
    secret_key_ref: KeySelector | None = None
    file_key_ref: Unread = None


class EnvVar(Entity, frozen=True, kw_only=True):
    """A variable of the environment."""

    name: str
    value: str = ""
    value_from: EnvVarSource | None = None


class NamedSource(Entity, frozen=True, kw_only=True):
    """A ConfigMap or Secret as a whole."""

    name: str = ""
    optional: bool | None = None


class EnvFromSource(Entity, frozen=True, kw_only=True):
    """All keys of a ConfigMap or Secret, as variables."""

    prefix: str = ""
    config_map_ref: NamedSource | None = None
    secret_ref: NamedSource | None = None


class VolumeMount(Entity, frozen=True, kw_only=True):
    """Where a container sees a volume."""

    name: str
    read_only: bool = False
    recursive_read_only: str | None = None
    mount_path: str
    sub_path: str = ""
    mount_propagation: str | None = None
    sub_path_expr: str = ""


class VolumeDevice(Entity, frozen=True, kw_only=True):
    """Where a container sees a raw device."""

    name: str
    device_path: str


class ResourceRequirements(Entity, frozen=True, kw_only=True):
    """What a container asks for, and may use at most."""

    limits: dict[str, Quantity] = msgspec.field(default_factory=dict)
    requests: dict[str, Quantity] = msgspec.field(default_factory=dict)
    claims: Unread = None


class Capabilities(Entity, frozen=True, kw_only=True):
    """Capabilities that a container gets or loses."""

    add: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()


class SecurityContext(Entity, frozen=True, kw_only=True):
    """The privileges of a container."""

    capabilities: Capabilities | None = None
    privileged: bool | None = None
    se_linux_options: Unread = None
    windows_options: Unread = None
    run_as_user: int | None = None
    run_as_group: int | None = None
    run_as_non_root: bool | None = None
    read_only_root_filesystem: bool | None = None
    allow_privilege_escalation: bool | None = None
    proc_mount: str | None = None
    seccomp_profile: Unread = None
    app_armor_profile: Unread = None


class KeyToPath(Entity, frozen=True, kw_only=True):
    """Under which name a key becomes a file."""

    key: str
    path: str
    mode: int | None = None


class EmptyDirVolumeSource(Entity, frozen=True, kw_only=True):
    """A folder that lives as long as the pod."""

    medium: str = ""
    size_limit: Quantity | None = None


class SecretVolumeSource(Entity, frozen=True, kw_only=True):
    """The keys of a Secret as files."""

    secret_name: str = ""
    items: tuple[KeyToPath, ...] = ()
    default_mode: int | None = None
    optional: bool | None = None


class ConfigMapVolumeSource(Entity, frozen=True, kw_only=True):
    """The keys of a ConfigMap as files."""

    name: str = ""
    items: tuple[KeyToPath, ...] = ()
    default_mode: int | None = None
    optional: bool | None = None


class PersistentVolumeClaimVolumeSource(Entity, frozen=True, kw_only=True):
    """A claim that is there already."""

    claim_name: str
    read_only: bool = False


class ProjectedVolumeSource(Entity, frozen=True, kw_only=True):
    """Several sources in one folder."""

    sources: tuple[Unread, ...]
    default_mode: int | None = None


class CSIVolumeSource(Entity, frozen=True, kw_only=True):
    """A volume of a driver."""

    driver: str
    read_only: bool | None = None
    fs_type: str | None = None
    volume_attributes: dict[str, str] = msgspec.field(default_factory=dict)
    node_publish_secret_ref: Unread = None


class HostPathVolumeSource(Entity, frozen=True, kw_only=True):
    """A folder of the node."""

    path: str
    type: str | None = None


class Volume(Entity, frozen=True, kw_only=True):
    """A volume of a pod."""

    name: str
    host_path: HostPathVolumeSource | None = None
    empty_dir: EmptyDirVolumeSource | None = None
    secret: SecretVolumeSource | None = None
    config_map: ConfigMapVolumeSource | None = None
    persistent_volume_claim: PersistentVolumeClaimVolumeSource | None = None
    projected: ProjectedVolumeSource | None = None
    csi: CSIVolumeSource | None = None
    downward_api: Unread = msgspec.field(name="downwardAPI", default=None)
    ephemeral: Unread = None
    nfs: Unread = None
    iscsi: Unread = None
    image: Unread = None


class ContainerPort(Entity, frozen=True, kw_only=True):
    """A port that a container listens on."""

    name: str = ""
    host_port: int = 0
    container_port: int
    protocol: str = ""
    host_ip: str = msgspec.field(name="hostIP", default="")
