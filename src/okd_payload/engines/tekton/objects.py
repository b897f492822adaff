# SPDX-License-Identifier: Apache-2.0
"""TaskRuns as we write them, from the pod that shall run the tool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from okd_payload.cluster import kinds
from okd_payload.engines.pod.objects import (
    ContainerSecurity,
    EnvironmentVariable,
    PodSecurity,
    Requirements,
    Volume,
    VolumeMount,
)
from okd_payload.engines.pod.tool import ToolPod
from okd_payload.engines.tekton.settings import Owner


class _Written(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Base of what is written: what is not set is left away."""


class OwnerReference(_Written, frozen=True, kw_only=True):
    """Whose end ends this object too."""

    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool | None = None
    block_owner_deletion: bool | None = None


class Metadata(_Written, frozen=True, kw_only=True):
    """Who the object is."""

    name: str
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    owner_references: tuple[OwnerReference, ...] = ()


class Parameter(_Written, frozen=True, kw_only=True):
    """A value that is given to a task."""

    name: str
    value: str


class DeclaredParameter(_Written, frozen=True, kw_only=True):
    """A value that a task takes."""

    name: str
    description: str = ""


class DeclaredResult(_Written, frozen=True, kw_only=True):
    """A value that a task gives."""

    name: str
    description: str = ""


class Step(_Written, frozen=True, kw_only=True):
    """One container of a task."""

    name: str
    image: str
    command: tuple[str, ...]
    args: tuple[str, ...]
    env: tuple[EnvironmentVariable, ...] = ()
    compute_resources: Requirements
    security_context: ContainerSecurity
    volume_mounts: tuple[VolumeMount, ...] = ()
    working_dir: str = ""


class TaskSpec(_Written, frozen=True, kw_only=True):
    """What a task does."""

    description: str = ""
    params: tuple[DeclaredParameter, ...] = ()
    results: tuple[DeclaredResult, ...] = ()
    steps: tuple[Step, ...]
    volumes: tuple[Volume, ...] = ()


class PodTemplate(_Written, frozen=True, kw_only=True):
    """What the whole pod gets."""

    security_context: PodSecurity | None = None
    host_users: bool | None = None
    automount_service_account_token: bool | None = None
    enable_service_links: bool | None = None


class TaskRunSpec(_Written, frozen=True, kw_only=True):
    """One run of a task that is given with it."""

    params: tuple[Parameter, ...] = ()
    service_account_name: str = ""
    timeout: str
    pod_template: PodTemplate
    task_spec: TaskSpec


class WrittenTaskRun(_Written, frozen=True, kw_only=True):
    """A TaskRun to be made."""

    api_version: str
    kind: str
    metadata: Metadata
    spec: TaskRunSpec

    def encode(self) -> bytes:
        """The object as JSON."""
        return msgspec.json.encode(self)


def make_task_run(
    metadata: Metadata,
    pod: ToolPod,
    *,
    step: str,
    timeout: float,
    service_account: str = "",
    uses_cluster: bool = False,
    parameters: Sequence[Parameter] = (),
    results: Mapping[str, str] | None = None,
) -> WrittenTaskRun:
    """A TaskRun of one ``step`` that runs ``pod``; without ``uses_cluster``, with no token."""
    rights, container = pod.rights, pod.container
    return WrittenTaskRun(
        api_version=kinds.TASK_RUN.api_version,
        kind=kinds.TASK_RUN.kind,
        metadata=metadata,
        spec=TaskRunSpec(
            params=tuple(parameters),
            service_account_name=service_account,
            timeout=f"{timeout:.0f}s",
            pod_template=PodTemplate(
                security_context=rights.pod if rights.pod != PodSecurity() else None,
                host_users=rights.host_users,
                automount_service_account_token=None if uses_cluster else False,
                enable_service_links=False,
            ),
            task_spec=TaskSpec(
                params=tuple(DeclaredParameter(name=item.name) for item in parameters),
                results=tuple(
                    DeclaredResult(name=name, description=told)
                    for name, told in (results or {}).items()
                ),
                steps=(
                    Step(
                        name=step,
                        image=container.image,
                        command=container.command,
                        args=container.arguments,
                        env=container.environment,
                        compute_resources=container.requirements,
                        security_context=container.security,
                        volume_mounts=container.mounts,
                        working_dir=container.folder,
                    ),
                ),
                volumes=pod.volumes,
            ),
        ),
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
