# SPDX-License-Identifier: Apache-2.0
"""Tekton's types of runs, read and written as those of ``model``."""

from __future__ import annotations

from typing import Annotated

import msgspec

from okd_payload.testing.tekton.admission.core_model import (
    ConfigMapVolumeSource,
    CSIVolumeSource,
    Duration,
    EmptyDirVolumeSource,
    Entity,
    EnvVar,
    PersistentVolumeClaimVolumeSource,
    ProjectedVolumeSource,
    Raw,
    ResourceRequirements,
    SecretVolumeSource,
    Unread,
    Volume,
)
from okd_payload.testing.tekton.admission.model import (
    Param,
    PipelineRef,
    PipelineSpec,
    PipelineTaskMetadata,
    TaskRef,
    TaskSpec,
)


class WorkspaceBinding(Entity, frozen=True, kw_only=True):
    """What a workspace is in one run."""

    name: str
    sub_path: str = ""
    volume_claim_template: Unread = None
    persistent_volume_claim: PersistentVolumeClaimVolumeSource | None = None
    empty_dir: EmptyDirVolumeSource | None = None
    config_map: ConfigMapVolumeSource | None = None
    secret: SecretVolumeSource | None = None
    projected: ProjectedVolumeSource | None = None
    csi: CSIVolumeSource | None = None


class PodTemplate(Entity, frozen=True, kw_only=True):
    """What pods of a run have; Go's ``Template``."""

    node_selector: dict[str, str] = msgspec.field(default_factory=dict)
    env: tuple[EnvVar, ...] = ()
    tolerations: Unread = None
    affinity: Unread = None
    security_context: Unread = None
    volumes: Annotated[tuple[Volume, ...], Raw] = ()
    runtime_class_name: str | None = None
    automount_service_account_token: bool | None = None
    dns_policy: str | None = None
    dns_config: Unread = None
    enable_service_links: bool | None = None
    priority_class_name: str | None = None
    scheduler_name: str = ""
    image_pull_secrets: Unread = None
    host_aliases: Unread = None
    host_network: bool = False
    host_users: bool | None = None
    topology_spread_constraints: Unread = None


class TaskRunStepSpec(Entity, frozen=True, kw_only=True):
    """Resources of one step or sidecar in one run."""

    name: str
    compute_resources: ResourceRequirements


class TaskRunSpec(Entity, frozen=True, kw_only=True):
    """One run of a task."""

    debug: Unread = None
    params: tuple[Param, ...] = ()
    service_account_name: str = ""
    task_ref: TaskRef | None = None
    task_spec: Annotated[TaskSpec | None, Raw] = None
    status: str = ""
    status_message: str = ""
    retries: int = 0
    timeout: Duration | None = None
    pod_template: PodTemplate | None = None
    workspaces: tuple[WorkspaceBinding, ...] = ()
    step_specs: tuple[TaskRunStepSpec, ...] = ()
    sidecar_specs: tuple[TaskRunStepSpec, ...] = ()
    compute_resources: ResourceRequirements | None = None
    managed_by: str | None = None


class TimeoutFields(Entity, frozen=True, kw_only=True):
    """How long a pipeline, its tasks and its final tasks may take."""

    pipeline: Duration | None = None
    tasks: Duration | None = None
    final: Duration | None = msgspec.field(name="finally", default=None)


class PipelineTaskRunTemplate(Entity, frozen=True, kw_only=True):
    """What all runs of tasks of a pipeline have."""

    pod_template: PodTemplate | None = None
    service_account_name: str = ""


class PipelineTaskRunSpec(Entity, frozen=True, kw_only=True):
    """What the run of one task of a pipeline has."""

    pipeline_task_name: str = ""
    service_account_name: str = ""
    pod_template: PodTemplate | None = None
    step_specs: tuple[TaskRunStepSpec, ...] = ()
    sidecar_specs: tuple[TaskRunStepSpec, ...] = ()
    metadata: PipelineTaskMetadata | None = None
    compute_resources: ResourceRequirements | None = None
    timeout: Duration | None = None


class PipelineRunSpec(Entity, frozen=True, kw_only=True):
    """One run of a pipeline."""

    pipeline_ref: PipelineRef | None = None
    pipeline_spec: Annotated[PipelineSpec | None, Raw] = None
    params: tuple[Param, ...] = ()
    status: str = ""
    timeouts: TimeoutFields | None = None
    task_run_template: PipelineTaskRunTemplate
    workspaces: tuple[WorkspaceBinding, ...] = ()
    task_run_specs: tuple[PipelineTaskRunSpec, ...] = ()
    managed_by: str | None = None
