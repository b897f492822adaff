# SPDX-License-Identifier: Apache-2.0
"""What Tasks of ``tekton.dev/v1`` are made of, and TaskRuns that run the tool's pod.

The fields are those of https://tekton.dev/docs/pipelines/pipeline-api/, and only those that are
written here; what is read of a TaskRun stands in ``task_run``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from okd_payload.cluster import kinds
from okd_payload.engines.manifests import Manifest, Metadata, OwnerReference, Part
from okd_payload.engines.pod.nodes import ARCHITECTURE_LABEL
from okd_payload.engines.pod.objects import (
    ContainerSecurity,
    EnvironmentVariable,
    PodSecurity,
    Requirements,
    Volume,
    VolumeMount,
)
from okd_payload.engines.pod.security import PodRights
from okd_payload.engines.pod.tool import ToolContainer, ToolPod
from okd_payload.engines.tekton.settings import Owner

API_VERSION = kinds.TASK_RUN.api_version


class Parameter(Part, frozen=True, kw_only=True):
    """A value that a Task or a Pipeline takes; without a default it has to be given."""

    name: str
    type: str = "string"
    description: str = ""
    default: str | tuple[str, ...] | None = None


class Given(Part, frozen=True, kw_only=True):
    """A value that is given."""

    name: str
    value: str | tuple[str, ...]


class Result(Part, frozen=True, kw_only=True):
    """A value that a Task gives, or with ``value`` one that a Pipeline does."""

    name: str
    description: str = ""
    value: str = ""


class Workspace(Part, frozen=True, kw_only=True):
    """A folder that whoever runs it brings."""

    name: str
    description: str = ""
    mount_path: str = ""
    optional: bool | None = None
    read_only: bool | None = None


class Step(Part, frozen=True, kw_only=True):
    """One container of a Task."""

    name: str
    image: str
    working_dir: str = ""
    command: tuple[str, ...]
    args: tuple[str, ...]
    env: tuple[EnvironmentVariable, ...] = ()
    compute_resources: Requirements
    security_context: ContainerSecurity
    volume_mounts: tuple[VolumeMount, ...] = ()


class TaskSpec(Part, frozen=True, kw_only=True):
    """What a Task does."""

    description: str = ""
    params: tuple[Parameter, ...] = ()
    workspaces: tuple[Workspace, ...] = ()
    results: tuple[Result, ...] = ()
    steps: tuple[Step, ...]
    volumes: tuple[Volume, ...] = ()


class PodTemplate(Part, frozen=True, kw_only=True):
    """What every pod of a run gets."""

    node_selector: dict[str, str] = msgspec.field(default_factory=dict)
    security_context: PodSecurity | None = None
    host_users: bool | None = None
    automount_service_account_token: bool | None = None
    enable_service_links: bool | None = None


class TaskRunSpec(Part, frozen=True, kw_only=True):
    """One run of a task that is given with it."""

    params: tuple[Given, ...] = ()
    service_account_name: str = ""
    timeout: str
    pod_template: PodTemplate
    task_spec: TaskSpec


class WrittenTaskRun(Manifest, frozen=True, kw_only=True):
    """A TaskRun to be made."""

    spec: TaskRunSpec


def make_task_run(
    metadata: Metadata,
    pod: ToolPod,
    *,
    step: str,
    timeout: float,
    architecture: str = "",
    service_account: str = "",
    uses_cluster: bool = False,
    parameters: Sequence[Given] = (),
    results: Mapping[str, str] | None = None,
) -> WrittenTaskRun:
    """A TaskRun of one ``step`` that runs ``pod``, on any node or on one of the ``architecture``.

    Without ``uses_cluster``, it has no token.
    """
    kind = kinds.TASK_RUN
    return WrittenTaskRun(
        api_version=kind.api_version,
        kind=kind.kind,
        metadata=metadata,
        spec=TaskRunSpec(
            params=tuple(parameters),
            service_account_name=service_account,
            timeout=f"{timeout:.0f}s",
            pod_template=make_template(
                pod.rights, uses_cluster=uses_cluster, architecture=architecture
            ),
            task_spec=TaskSpec(
                params=tuple(Parameter(name=item.name) for item in parameters),
                results=tuple(
                    Result(name=name, description=told) for name, told in (results or {}).items()
                ),
                steps=(make_step(step, pod.container),),
                volumes=pod.volumes,
            ),
        ),
    )


def make_template(rights: PodRights, *, uses_cluster: bool, architecture: str = "") -> PodTemplate:
    """What a pod with ``rights`` gets, on any node or on one of the ``architecture``.

    Without ``uses_cluster``, it gets no token.
    """
    return PodTemplate(
        node_selector={ARCHITECTURE_LABEL: architecture} if architecture else {},
        security_context=rights.pod if rights.pod != PodSecurity() else None,
        host_users=rights.host_users,
        automount_service_account_token=None if uses_cluster else False,
        enable_service_links=False,
    )


def make_step(name: str, container: ToolContainer) -> Step:
    """The step that runs ``container``."""
    return Step(
        name=name,
        image=container.image,
        working_dir=container.folder,
        command=container.command,
        args=container.arguments,
        env=container.environment,
        compute_resources=container.requirements,
        security_context=container.security,
        volume_mounts=container.mounts,
    )


def owned_by(owner: Owner | None) -> tuple[OwnerReference, ...]:
    """The reference to a TaskRun that owns others."""
    if owner is None:
        return ()
    kind = kinds.TASK_RUN
    return (
        OwnerReference(
            api_version=kind.api_version, kind=kind.kind, name=owner.name, uid=owner.uid
        ),
    )
