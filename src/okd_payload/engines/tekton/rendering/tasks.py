# SPDX-License-Identifier: Apache-2.0
"""The Tasks that every Pipeline of ours refers to, one for each ``step`` command.

Tekton takes no parameter where a container's resources are said, so there is one Task for each
amount that components ask for; of 189 components that makes two. Only what builds is root; all
else has no right at all. Credentials are a workspace, so no Task names a Secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

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
from okd_payload.engines.pod.step_results import (
    COMPONENT_RESULTS,
    RELEASE_RESULTS,
    SNAPSHOT_RESULTS,
)
from okd_payload.engines.pod.tool import (
    PROGRAM,
    WORK_FOLDER,
    ToolSettings,
    registry_words,
    tool_mounts,
    tool_volumes,
)
from okd_payload.engines.tekton.rendering.objects import (
    API_VERSION,
    Parameter,
    Result,
    Step,
    Task,
    TaskSpec,
    Workspace,
)

PREFIX = "okd-payload-"
COMPONENT_TASK = PREFIX + "component"
CREDENTIALS, CACHE, REPORTS = "credentials", "cache", "reports"
_NO_MORE_OPTIONS = "--"
"""Before values of parameters: none of them is ever taken for an option."""
_UNFIT = re.compile(r"[^a-z0-9]+")

_SNAPSHOT = Parameter(name="snapshot", description="The snapshot, REPOSITORY@DIGEST.")
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


class _Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One Task before it is written."""

    name: str
    description: str
    args: tuple[str, ...]
    params: tuple[Parameter, ...] = ()
    results: Mapping[str, str] = {}
    resources: Resources = Resources()
    builds: bool = False
    writes_reports: bool = False


def render_tasks(nodes: Iterable[Node], settings: ToolSettings) -> tuple[Task, ...]:
    """Every Task that Pipelines with ``nodes`` refer to, and those for pipelines of others.

    Raises InputError for resources that are no quantities.
    """
    needed = {needs_of(node, settings) for node in nodes}
    largest = sorted(needed, key=msgspec.json.encode) or [needs_of(None, settings)]
    kinds = [
        _snapshot(),
        _imports(),
        *(_component(each, settings) for each in largest),
        _release(),
        _verify(),
        _report(),
        _batch(),
    ]
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


def _write(kind: _Kind, settings: ToolSettings) -> Task:
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
        env=_environment(),
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


def _requirements(kind: _Kind, settings: ToolSettings) -> Requirements:
    defaults = settings.defaults if kind.builds else SMALL_RESOURCES
    return requirements_of(kind.resources, defaults=defaults)


def _as_tool_user(security: ContainerSecurity) -> ContainerSecurity:
    """``security`` with the user in it: a Task cannot say it for the whole pod."""
    return msgspec.structs.replace(security, run_as_user=TOOL_USER, run_as_group=TOOL_USER)


def _volumes(settings: ToolSettings) -> tuple[tuple[Volume, ...], tuple[VolumeMount, ...]]:
    bare = msgspec.structs.replace(settings, credentials="")
    return tool_volumes(bare), tool_mounts(bare)


def _environment() -> tuple[EnvironmentVariable, ...]:
    variables = {
        "DOCKER_CONFIG": f"$(workspaces.{CREDENTIALS}.path)",
        "HOME": f"{WORK_FOLDER}/home",
        "NO_COLOR": "1",
        "OKD_PAYLOAD_CACHE": f"$(workspaces.{CACHE}.path)",
        "OKD_PAYLOAD_STATE": f"{WORK_FOLDER}/state",
        "TMPDIR": WORK_FOLDER,
    }
    return tuple(EnvironmentVariable(name=name, value=value) for name, value in variables.items())


def _text(name: str, description: str, default: str = "") -> Parameter:
    return Parameter(name=name, description=description, default=default)


COMPONENTS = Parameter(
    name="components",
    type="array",
    description="Names of components; one empty name means all of them.",
    default=("",),
)


def _snapshot() -> _Kind:
    return _Kind(
        name=PREFIX + "snapshot",
        description="Freezes a stream: every branch becomes a commit, every tag a digest. "
        "All that the other tasks take is stored as one artifact, by its digest.",
        args=(
            *("step", "snapshot"),
            *(
                f"--{option}=$(params.{option})"
                for option in (
                    *("path", "variant", "branch", "release-name"),
                    *("content", "releases", "given", "expect"),
                )
            ),
            _NO_MORE_OPTIONS,
            "$(params.url)@$(params.revision)",
            "$(params.components[*])",
        ),
        params=(
            _text("url", "The git repository of the stream."),
            _text("revision", "Its branch, tag or commit.", "main"),
            _text("path", "The folder of the stream in it."),
            _text("variant", "Which stream of several."),
            _text("branch", "The branch of all components that do not pin one."),
            _text("release-name", "The name of the release."),
            _text("content", "The repository of the component images."),
            _text("releases", "The repository of the release images."),
            _text("given", "A snapshot to take instead of making one."),
            _text("expect", "The graph that the Pipeline was rendered from."),
            COMPONENTS,
        ),
        results=SNAPSHOT_RESULTS,
    )


def _imports() -> _Kind:
    return _Kind(
        name=PREFIX + "imports",
        description="Copies the images of elsewhere that the stream needs.",
        args=("step", "imports", "--snapshot=$(params.snapshot)"),
        params=(_SNAPSHOT,),
    )


def _component(needed: Resources, settings: ToolSettings) -> _Kind:
    return _Kind(
        name=_component_name(needed, settings),
        description="Makes the image of one component, unless one with its build key is there.",
        args=(
            "step",
            "component",
            "--snapshot=$(params.snapshot)",
            _NO_MORE_OPTIONS,
            "$(params.name)",
        ),
        params=(Parameter(name="name", description="The component."), _SNAPSHOT),
        results=COMPONENT_RESULTS,
        resources=needed,
        builds=True,
    )


def _release() -> _Kind:
    return _Kind(
        name="new-release",
        description="Assembles the release of a snapshot, checks it and pushes it.",
        args=(
            *("step", "release", "--snapshot=$(params.snapshot)"),
            "--content=$(params.release-mirror-location)",
            "--to=$(params.release-image)",
            "--release-name=$(params.release-image-name)",
            _NO_MORE_OPTIONS,
            "$(params.components[*])",
        ),
        params=(
            _SNAPSHOT,
            _text(
                "release-mirror-location",
                "The repository of the component images; empty for that of the snapshot.",
            ),
            _text(
                "release-image",
                "Where the release is pushed, with or without a tag; empty for the repository "
                "of the snapshot.",
            ),
            _text("release-image-name", "Its name; empty for that of the snapshot."),
            COMPONENTS,
        ),
        results=RELEASE_RESULTS,
    )


def _verify() -> _Kind:
    return _Kind(
        name=PREFIX + "verify",
        description="Looks at a release as a cluster does, and whether all of it can be pulled.",
        args=(
            "step",
            "verify",
            "--snapshot=$(params.snapshot)",
            _NO_MORE_OPTIONS,
            "$(params.release)",
        ),
        params=(_SNAPSHOT, Parameter(name="release", description="REPOSITORY@DIGEST.")),
    )


def _report() -> _Kind:
    return _Kind(
        name=PREFIX + "report",
        description="Tells what became of every component, also when some failed.",
        args=(
            *("step", "report", "--snapshot=$(params.snapshot)"),
            *("--run=$(params.run)", f"--to=$(workspaces.{REPORTS}.path)"),
            _NO_MORE_OPTIONS,
            "$(params.statuses[*])",
        ),
        params=(
            _SNAPSHOT,
            _text("run", "The name of the run.", "run"),
            Parameter(
                name="statuses",
                type="array",
                description="NAME=STATUS of every task.",
                default=("",),
            ),
        ),
        writes_reports=True,
    )


def _batch() -> _Kind:
    return _Kind(
        name="batch-build",
        description="Builds some components and what they stand on, in the order that they "
        "need. One that fails stops only what stands on it; what is there is not built again.",
        args=(
            *("step", "batch", "--snapshot=$(params.snapshot)"),
            "--jobs=$(params.max_concurrent_builds)",
            _NO_MORE_OPTIONS,
            "$(params.build_configs[*])",
        ),
        params=(
            Parameter(name="build_configs", type="array", description="The components."),
            _text("max_concurrent_builds", "How many builds at a time.", "8"),
            _SNAPSHOT,
        ),
        builds=True,
    )
