# SPDX-License-Identifier: Apache-2.0
"""Tekton's types of ``tekton.dev/v1``, with the fields that version 1.15 knows.

Read by ``decoding``, completed by ``defaults`` and judged by the rules. A class has the name of
Go's type, because it appears in messages. Fields without a default are written even when empty.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from okd_payload.testing.tekton.admission.core_model import (
    ContainerPort,
    Duration,
    Entity,
    EnvFromSource,
    EnvVar,
    Raw,
    ResourceRequirements,
    SecurityContext,
    Unread,
    Volume,
    VolumeDevice,
    VolumeMount,
)

Value = Annotated[str | tuple[str, ...] | dict[str, str], "value"]
"""The value of a parameter or result: text, a list of texts, or texts by key."""


class PropertySpec(Entity, frozen=True, kw_only=True):
    """A key of an object, which can only be text."""

    type: str = ""


class ParamSpec(Entity, frozen=True, kw_only=True):
    """A parameter that is declared."""

    name: str
    type: str = ""
    description: str = ""
    properties: dict[str, PropertySpec] | None = None
    default: Value | None = None
    enum: tuple[str, ...] = ()


class Param(Entity, frozen=True, kw_only=True):
    """A parameter that is given."""

    name: str
    value: Annotated[Value, Raw]


class TaskResult(Entity, frozen=True, kw_only=True):
    """A result that a task declares."""

    name: str
    type: str = ""
    properties: dict[str, PropertySpec] | None = None
    description: str = ""
    value: Value | None = None


class StepResult(Entity, frozen=True, kw_only=True):
    """A result that a step declares."""

    name: str
    type: str = ""
    properties: dict[str, PropertySpec] | None = None
    description: str = ""


class WorkspaceDeclaration(Entity, frozen=True, kw_only=True):
    """A workspace that a task asks for."""

    name: str
    description: str = ""
    mount_path: str = ""
    read_only: bool = False
    optional: bool = False


class WorkspaceUsage(Entity, frozen=True, kw_only=True):
    """A workspace that only some steps see."""

    name: str
    mount_path: str


class WhenExpression(Entity, frozen=True, kw_only=True):
    """What must hold for a task or step to run."""

    input: str = ""
    operator: str = ""
    values: tuple[str, ...] = ()
    cel: str = ""


class Reference(Entity, frozen=True, kw_only=True):
    """A StepAction, Task or Pipeline by name or resolver; Go's ``Ref``."""

    name: str = ""
    resolver: str = ""
    params: tuple[Param, ...] | None = None


class TaskRef(Reference, frozen=True, kw_only=True):
    """A Task by name or resolver."""

    kind: str = ""
    api_version: str = ""


class PipelineRef(Reference, frozen=True, kw_only=True):
    """A Pipeline by name or resolver."""

    api_version: str = ""


class StepOutputConfig(Entity, frozen=True, kw_only=True):
    """Where a stream of a step goes."""

    path: str = ""


class Step(Entity, frozen=True, kw_only=True):
    """One container of a task, run in its turn."""

    name: str
    display_name: str = ""
    image: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    working_dir: str = ""
    env_from: tuple[EnvFromSource, ...] = ()
    env: tuple[EnvVar, ...] = ()
    compute_resources: ResourceRequirements
    volume_mounts: tuple[VolumeMount, ...] = ()
    volume_devices: tuple[VolumeDevice, ...] = ()
    image_pull_policy: str = ""
    security_context: SecurityContext | None = None
    script: str = ""
    timeout: Duration | None = None
    workspaces: tuple[WorkspaceUsage, ...] = ()
    on_error: str = ""
    stdout_config: StepOutputConfig | None = None
    stderr_config: StepOutputConfig | None = None
    ref: Reference | None = None
    params: tuple[Param, ...] = ()
    results: tuple[StepResult, ...] = ()
    when: tuple[WhenExpression, ...] = ()


class StepTemplate(Entity, frozen=True, kw_only=True):
    """What all steps have unless they say otherwise."""

    image: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    working_dir: str = ""
    env_from: tuple[EnvFromSource, ...] = ()
    env: tuple[EnvVar, ...] = ()
    compute_resources: ResourceRequirements
    volume_mounts: tuple[VolumeMount, ...] = ()
    volume_devices: tuple[VolumeDevice, ...] = ()
    image_pull_policy: str = ""
    security_context: SecurityContext | None = None


class Sidecar(Entity, frozen=True, kw_only=True):
    """A container that runs beside the steps."""

    name: str
    image: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    working_dir: str = ""
    ports: tuple[ContainerPort, ...] = ()
    env_from: tuple[EnvFromSource, ...] = ()
    env: tuple[EnvVar, ...] = ()
    compute_resources: ResourceRequirements
    volume_mounts: tuple[VolumeMount, ...] = ()
    volume_devices: tuple[VolumeDevice, ...] = ()
    liveness_probe: Unread = None
    readiness_probe: Unread = None
    startup_probe: Unread = None
    lifecycle: Unread = None
    termination_message_path: str = ""
    termination_message_policy: str = ""
    image_pull_policy: str = ""
    security_context: SecurityContext | None = None
    stdin: bool = False
    stdin_once: bool = False
    tty: bool = False
    script: str = ""
    workspaces: tuple[WorkspaceUsage, ...] = ()
    restart_policy: str | None = None


class TaskSpec(Entity, frozen=True, kw_only=True):
    """What a task does."""

    params: tuple[ParamSpec, ...] = ()
    display_name: str = ""
    description: str = ""
    steps: tuple[Step, ...] = ()
    volumes: Annotated[tuple[Volume, ...], Raw] = ()
    step_template: StepTemplate | None = None
    sidecars: tuple[Sidecar, ...] = ()
    workspaces: tuple[WorkspaceDeclaration, ...] = ()
    results: tuple[TaskResult, ...] = ()


class PipelineTaskMetadata(Entity, frozen=True, kw_only=True):
    """Labels and annotations of what a pipeline makes."""

    labels: dict[str, str] = msgspec.field(default_factory=dict)
    annotations: dict[str, str] = msgspec.field(default_factory=dict)


class EmbeddedTask(TaskSpec, frozen=True, kw_only=True):
    """A task inside a pipeline."""

    api_version: str = ""
    kind: str = ""
    spec: Unread
    metadata: PipelineTaskMetadata


class IncludeParams(Entity, frozen=True, kw_only=True):
    """One combination of a matrix, named."""

    name: str = ""
    params: tuple[Param, ...] = ()


class Matrix(Entity, frozen=True, kw_only=True):
    """Parameters over whose combinations a task is repeated."""

    params: tuple[Param, ...] = ()
    include: tuple[IncludeParams, ...] = ()


class WorkspacePipelineTaskBinding(Entity, frozen=True, kw_only=True):
    """Which workspace of the pipeline a task sees."""

    name: str
    workspace: str = ""
    sub_path: str = ""


class PipelineTask(Entity, frozen=True, kw_only=True):
    """A task of a pipeline."""

    name: str = ""
    display_name: str = ""
    description: str = ""
    task_ref: TaskRef | None = None
    task_spec: Annotated[EmbeddedTask | None, Raw] = None
    when: tuple[WhenExpression, ...] = ()
    retries: int = 0
    run_after: tuple[str, ...] = ()
    params: tuple[Param, ...] = ()
    matrix: Matrix | None = None
    workspaces: tuple[WorkspacePipelineTaskBinding, ...] = ()
    timeout: Duration | None = None
    pipeline_ref: PipelineRef | None = None
    pipeline_spec: Unread = None
    on_error: str = ""


class PipelineWorkspaceDeclaration(Entity, frozen=True, kw_only=True):
    """A workspace that a pipeline asks for."""

    name: str
    description: str = ""
    optional: bool = False


class PipelineResult(Entity, frozen=True, kw_only=True):
    """A result of a pipeline, made of results of its tasks."""

    name: str
    type: str = ""
    description: str = ""
    value: Annotated[Value, Raw]


class PipelineSpec(Entity, frozen=True, kw_only=True):
    """What a pipeline does."""

    display_name: str = ""
    description: str = ""
    tasks: tuple[PipelineTask, ...] = ()
    params: tuple[ParamSpec, ...] = ()
    workspaces: tuple[PipelineWorkspaceDeclaration, ...] = ()
    results: tuple[PipelineResult, ...] = ()
    final: tuple[PipelineTask, ...] = msgspec.field(name="finally", default=())


class StepActionSpec(Entity, frozen=True, kw_only=True):
    """A step to refer to."""

    description: str = ""
    image: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: tuple[EnvVar, ...] = ()
    script: str = ""
    working_dir: str = ""
    params: tuple[ParamSpec, ...] = ()
    results: tuple[StepResult, ...] = ()
    security_context: SecurityContext | None = None
    volume_mounts: tuple[VolumeMount, ...] = ()
