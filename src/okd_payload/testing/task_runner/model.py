# SPDX-License-Identifier: Apache-2.0
"""Tekton's objects, as far as running them needs them.

Read as ``tekton.dev/v1`` writes them; fields that change nothing about a run on one machine
(requests of memory, pull policies, service accounts) are left alone. What would change it and
is not done here (sidecars, step actions, resolvers, matrices, custom tasks) is refused by
whoever meets it, never passed over.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from okd_payload.errors import InputError

Decoded = TypeVar("Decoded", bound="Part")

Value = str | list[str] | dict[str, str]
"""Of a parameter or a result."""


class Part(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Base of all parts."""


class KeyReference(Part, frozen=True, kw_only=True):
    """One entry of a Secret or ConfigMap."""

    name: str = ""
    key: str
    optional: bool = False


class FieldReference(Part, frozen=True, kw_only=True):
    """A fact about the pod."""

    field_path: str


class VariableSource(Part, frozen=True, kw_only=True):
    """Where a variable gets its value."""

    secret_key_ref: KeyReference | None = None
    config_map_key_ref: KeyReference | None = None
    field_ref: FieldReference | None = None


class Variable(Part, frozen=True, kw_only=True):
    """An environment variable."""

    name: str
    value: str = ""
    value_from: VariableSource | None = None


class Item(Part, frozen=True, kw_only=True):
    """An entry of a Secret or ConfigMap, and the file it becomes."""

    key: str
    path: str


class SecretVolume(Part, frozen=True, kw_only=True):
    """The entries of a Secret as files; in a projection it is called ``name``."""

    secret_name: str = ""
    name: str = ""
    items: tuple[Item, ...] = ()
    optional: bool = False


class ConfigMapVolume(Part, frozen=True, kw_only=True):
    """The entries of a ConfigMap as files."""

    name: str
    items: tuple[Item, ...] = ()
    optional: bool = False


class Claim(Part, frozen=True, kw_only=True):
    """What outlives the run."""

    claim_name: str
    read_only: bool = False


class Projection(Part, frozen=True, kw_only=True):
    """One source of a projected volume."""

    secret: SecretVolume | None = None
    config_map: ConfigMapVolume | None = None


class Projected(Part, frozen=True, kw_only=True):
    """Several sources in one folder."""

    sources: tuple[Projection, ...] = ()


class Empty(Part, frozen=True, kw_only=True):
    """A folder that ends with the pod."""


class Content(Part, frozen=True, kw_only=True):
    """What is in a volume or workspace; at most one is set."""

    empty_dir: Empty | None = None
    secret: SecretVolume | None = None
    config_map: ConfigMapVolume | None = None
    projected: Projected | None = None
    persistent_volume_claim: Claim | None = None


class Volume(Content, frozen=True, kw_only=True):
    """Something that steps mount."""

    name: str


class Mount(Part, frozen=True, kw_only=True):
    """Where a step sees a volume."""

    name: str
    mount_path: str
    sub_path: str = ""
    read_only: bool = False


class CapabilityChanges(Part, frozen=True, kw_only=True):
    """Capabilities given and taken."""

    add: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()


class Seccomp(Part, frozen=True, kw_only=True):
    """Which system calls are let through."""

    type: str


class Security(Part, frozen=True, kw_only=True):
    """A security context, of a pod or of a container; None is not said."""

    run_as_user: int | None = None
    run_as_group: int | None = None
    run_as_non_root: bool | None = None
    fs_group: int | None = None
    supplemental_groups: tuple[int, ...] | None = None
    capabilities: CapabilityChanges | None = None
    privileged: bool | None = None
    allow_privilege_escalation: bool | None = None
    read_only_root_filesystem: bool | None = None
    seccomp_profile: Seccomp | None = None
    proc_mount: str | None = None


class Step(Part, frozen=True, kw_only=True):
    """One container of a task; as ``stepTemplate``, what all of them have."""

    name: str = ""
    image: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    script: str = ""
    env: tuple[Variable, ...] = ()
    working_dir: str = ""
    volume_mounts: tuple[Mount, ...] = ()
    security_context: Security | None = None
    on_error: str = ""
    timeout: str = ""
    ref: Any = None
    env_from: Any = None
    when: Any = None


class ParameterSpec(Part, frozen=True, kw_only=True):
    """A parameter that is taken."""

    name: str
    type: str = ""
    default: Value | None = None

    @property
    def kind(self) -> str:
        """``string``, ``array`` or ``object``, as said or as the default shows."""
        if self.type:
            return self.type
        return "string" if self.default is None else kind_of(self.default)


class Parameter(Part, frozen=True, kw_only=True):
    """A parameter that is given."""

    name: str
    value: Value


class ResultSpec(Part, frozen=True, kw_only=True):
    """A result that is given, of a task, or with a value, of a pipeline."""

    name: str
    type: str = "string"
    value: Value = ""


class WorkspaceSpec(Part, frozen=True, kw_only=True):
    """A workspace that is taken."""

    name: str
    mount_path: str = ""
    read_only: bool = False
    optional: bool = False


class Workspace(Content, frozen=True, kw_only=True):
    """A workspace that is given: a volume, or in a pipeline another name for its own."""

    name: str
    sub_path: str = ""
    workspace: str = ""
    volume_claim_template: Any = None


class TaskSpec(Part, frozen=True, kw_only=True):
    """What a task does."""

    params: tuple[ParameterSpec, ...] = ()
    results: tuple[ResultSpec, ...] = ()
    steps: tuple[Step, ...] = ()
    step_template: Step | None = None
    workspaces: tuple[WorkspaceSpec, ...] = ()
    volumes: tuple[Volume, ...] = ()
    sidecars: tuple[Any, ...] = ()


class Metadata(Part, frozen=True, kw_only=True):
    """Who an object is."""

    name: str = ""
    generate_name: str = ""
    namespace: str = "default"
    uid: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class Reference(Part, frozen=True, kw_only=True):
    """Another object of the namespace."""

    name: str = ""
    kind: str = ""
    api_version: str = ""
    resolver: str = ""


class PodTemplate(Part, frozen=True, kw_only=True):
    """What the whole pod gets."""

    security_context: Security | None = None
    host_users: bool | None = None
    env: tuple[Variable, ...] = ()


class Task(Part, frozen=True, kw_only=True):
    """A task of the namespace."""

    metadata: Metadata
    spec: TaskSpec


class TaskRunSpec(Part, frozen=True, kw_only=True):
    """One run of a task."""

    params: tuple[Parameter, ...] = ()
    task_ref: Reference | None = None
    task_spec: TaskSpec | None = None
    workspaces: tuple[Workspace, ...] = ()
    timeout: str = ""
    retries: int = 0
    pod_template: PodTemplate = PodTemplate()


class TaskRun(Part, frozen=True, kw_only=True):
    """A run of a task, as it is asked for."""

    metadata: Metadata
    spec: TaskRunSpec


def kind_of(value: Value) -> str:
    """The type of ``value``, as Tekton names it."""
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def decode_task_run(content: bytes) -> TaskRun:
    """The TaskRun in the JSON ``content``. Raises InputError."""
    return _decode(content, TaskRun, "TaskRun")


def decode_task(content: bytes) -> Task:
    """The Task in the JSON ``content``. Raises InputError."""
    return _decode(content, Task, "Task")


def _decode(content: bytes, kind: type[Decoded], name: str) -> Decoded:
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.MsgspecError as error:
        raise InputError(f"this is no {name}: {error}", hint="see tekton.dev/v1") from error
