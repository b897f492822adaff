# SPDX-License-Identifier: Apache-2.0
"""The Tasks that every Pipeline of ours refers to, one for each ``step`` command.

Tekton takes no parameter where a container's resources are said, so there is one Task for each
amount that components ask for; of 189 components that makes two. Only what builds is root; all
else has no right at all. Credentials for registries are a workspace; a Secret is named only where
one for git was asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from okd_payload.build.plan import ComponentNode, Node
from okd_payload.catalog.component import Resources
from okd_payload.engines.manifests import Metadata
from okd_payload.engines.pod.labels import MANAGED_BY, MANAGER
from okd_payload.engines.pod.objects import (
    ContainerSecurity,
    EnvironmentVariable,
    Requirements,
    Volume,
    VolumeMount,
)
from okd_payload.engines.pod.resources import SMALL_RESOURCES, requirements_of
from okd_payload.engines.pod.security import TOOL_USER, build_rights, plain_rights
from okd_payload.engines.pod.tool import (
    PROGRAM,
    WORK_FOLDER,
    ToolSettings,
    git_variables,
    registry_words,
    tool_mounts,
    tool_volumes,
)
from okd_payload.engines.tekton.objects import (
    API_VERSION,
    Parameter,
    Result,
    Step,
    TaskSpec,
    Workspace,
)
from okd_payload.engines.tekton.rendering.kinds import (
    CACHE,
    COMPONENT_TASK,
    CREDENTIALS,
    FIRST_KINDS,
    LAST_KINDS,
    REPORTS,
    TaskKind,
    component_kind,
)
from okd_payload.engines.tekton.rendering.objects import Task

_UNFIT = re.compile(r"[^a-z0-9]+")

_WORKSPACES = (
    Workspace(
        name=CREDENTIALS,
        description="A folder with config.json for registries, as docker and podman write it.",
        optional=True,
        read_only=True,
    ),
    Workspace(
        name=CACHE,
        description="Git mirrors and what registries hold by digest; may be lost at any time. "
        "Tasks run side by side, so a claim has to be ReadWriteMany.",
        optional=True,
    ),
)


def render_tasks(nodes: Iterable[Node], settings: ToolSettings) -> tuple[Task, ...]:
    """Every Task that Pipelines with ``nodes`` refer to, and those for pipelines of others.

    Raises InputError for resources that are no quantities.
    """
    needed = {needs_of(node, settings) for node in nodes}
    largest = sorted(needed, key=msgspec.json.encode) or [needs_of(None, settings)]
    kinds = (
        *FIRST_KINDS,
        *(component_kind(_component_name(each, settings), each) for each in largest),
        *LAST_KINDS,
    )
    return tuple(_write(kind, settings) for kind in kinds)


def component_task(node: Node, settings: ToolSettings) -> str:
    """The name of the Task that makes the image of ``node``."""
    return _component_name(needs_of(node, settings), settings)


def needs_of(node: Node | None, settings: ToolSettings) -> Resources:
    """What the pod of ``node`` asks for, in full. Raises InputError."""
    own = node.component.resources if isinstance(node, ComponentNode) else Resources()
    needed = requirements_of(own, defaults=settings.defaults)
    return Resources(
        cpu_request=needed.requests.cpu,
        cpu_limit=needed.limits.cpu,
        memory_request=needed.requests.memory,
        memory_limit=needed.limits.memory,
    )


def _component_name(needed: Resources, settings: ToolSettings) -> str:
    if needed == needs_of(None, settings):
        return COMPONENT_TASK
    words = [needed.cpu_request, needed.cpu_limit, needed.memory_request, needed.memory_limit]
    return f"{COMPONENT_TASK}-{_UNFIT.sub('-', '-'.join(dict.fromkeys(words)).lower())}"


def _write(kind: TaskKind, settings: ToolSettings) -> Task:
    rights = build_rights(settings.profile) if kind.builds else plain_rights()
    results = tuple(Result(name=name, description=told) for name, told in kind.results.items())
    workspaces: tuple[Workspace, ...] = _WORKSPACES
    if kind.writes_reports:
        told = "Where report.json and report.html are written."
        workspaces = (*workspaces, Workspace(name=REPORTS, description=told, optional=True))
    words = (
        *kind.args[:2],
        *registry_words(settings),
        *(f"--result-{name}=$(results.{name}.path)" for name in kind.results),
        *kind.args[2:],
    )
    volumes, mounts = _volumes(settings)
    step = Step(
        name=kind.args[1],
        image="$(params.image)",
        working_dir=WORK_FOLDER,
        command=(PROGRAM,),
        args=words,
        env=_environment(settings),
        compute_resources=_requirements(kind, settings),
        security_context=rights.container if kind.builds else _as_tool_user(rights.container),
        volume_mounts=mounts,
    )
    image = Parameter(name="image", description="The image of okd-payload.", default=settings.image)
    return Task(
        api_version=API_VERSION,
        kind="Task",
        metadata=Metadata(name=kind.name, labels={MANAGED_BY: MANAGER}),
        spec=TaskSpec(
            description=kind.description,
            params=(*kind.params, image),
            workspaces=workspaces,
            results=results,
            steps=(step,),
            volumes=volumes,
        ),
    )


def _requirements(kind: TaskKind, settings: ToolSettings) -> Requirements:
    defaults = settings.defaults if kind.builds else SMALL_RESOURCES
    return requirements_of(kind.resources, defaults=defaults)


def _as_tool_user(security: ContainerSecurity) -> ContainerSecurity:
    """``security`` with the user in it: a Task cannot say it for the whole pod."""
    return msgspec.structs.replace(security, run_as_user=TOOL_USER, run_as_group=TOOL_USER)


def _volumes(settings: ToolSettings) -> tuple[tuple[Volume, ...], tuple[VolumeMount, ...]]:
    bare = msgspec.structs.replace(settings, credentials="")
    return tool_volumes(bare), tool_mounts(bare)


def _environment(settings: ToolSettings) -> tuple[EnvironmentVariable, ...]:
    variables = git_variables(settings) | {
        "DOCKER_CONFIG": f"$(workspaces.{CREDENTIALS}.path)",
        "HOME": f"{WORK_FOLDER}/home",
        "NO_COLOR": "1",
        "OKD_PAYLOAD_CACHE": f"$(workspaces.{CACHE}.path)",
        "OKD_PAYLOAD_STATE": f"{WORK_FOLDER}/state",
        "TMPDIR": WORK_FOLDER,
    }
    return tuple(
        EnvironmentVariable(name=name, value=value) for name, value in sorted(variables.items())
    )
