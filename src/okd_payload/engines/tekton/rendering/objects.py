# SPDX-License-Identifier: Apache-2.0
"""Tasks, Pipelines and PipelineRuns of ``tekton.dev/v1``: the fields that we write.

They stand in https://tekton.dev/docs/pipelines/pipeline-api/. Nothing here is read back: a
rendered file belongs to whoever keeps it.
"""

from __future__ import annotations

import msgspec

from okd_payload.engines.manifests import Manifest, Part
from okd_payload.engines.pod.objects import KeyToPath
from okd_payload.engines.tekton.objects import (
    Given,
    Parameter,
    PodTemplate,
    Result,
    TaskSpec,
    Workspace,
)


class Task(Manifest, frozen=True, kw_only=True):
    """A Task."""

    spec: TaskSpec


class TaskReference(Part, frozen=True, kw_only=True):
    """The Task that a task of a Pipeline runs."""

    name: str


class When(Part, frozen=True, kw_only=True):
    """What has to hold for a task to run."""

    input: str
    operator: str
    values: tuple[str, ...]


class BoundWorkspace(Part, frozen=True, kw_only=True):
    """The workspace of the Pipeline that a task gets as its own."""

    name: str
    workspace: str


class PipelineTask(Part, frozen=True, kw_only=True):
    """One task of a Pipeline."""

    name: str
    task_ref: TaskReference
    run_after: tuple[str, ...] = ()
    when: tuple[When, ...] = ()
    params: tuple[Given, ...] = ()
    workspaces: tuple[BoundWorkspace, ...] = ()
    timeout: str = ""
    retries: int = 0
    on_error: str = ""


class PipelineSpec(Part, frozen=True, kw_only=True):
    """What a Pipeline does."""

    description: str
    params: tuple[Parameter, ...] = ()
    workspaces: tuple[Workspace, ...] = ()
    results: tuple[Result, ...] = ()
    tasks: tuple[PipelineTask, ...]
    finally_: tuple[PipelineTask, ...] = msgspec.field(default=(), name="finally")


class Pipeline(Manifest, frozen=True, kw_only=True):
    """A Pipeline."""

    spec: PipelineSpec


class SecretWorkspace(Part, frozen=True, kw_only=True):
    """The entries of a Secret as files of a workspace."""

    secret_name: str
    items: tuple[KeyToPath, ...] = ()


class Binding(Part, frozen=True, kw_only=True):
    """What a run brings as a workspace."""

    name: str
    secret: SecretWorkspace | None = None


class Timeouts(Part, frozen=True, kw_only=True):
    """How long a run, its tasks and what comes after may take."""

    pipeline: str
    tasks: str
    finally_: str = msgspec.field(name="finally")


class RunTemplate(Part, frozen=True, kw_only=True):
    """Who pods are, and how they are made."""

    service_account_name: str = ""
    pod_template: PodTemplate | None = None


class PipelineRunSpec(Part, frozen=True, kw_only=True):
    """One run of a Pipeline."""

    pipeline_ref: TaskReference
    params: tuple[Given, ...] = ()
    workspaces: tuple[Binding, ...] = ()
    timeouts: Timeouts
    task_run_template: RunTemplate


class PipelineRun(Manifest, frozen=True, kw_only=True):
    """A run of a Pipeline."""

    spec: PipelineRunSpec
