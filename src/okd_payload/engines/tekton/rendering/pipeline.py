# SPDX-License-Identifier: Apache-2.0
"""A plan as a Pipeline: one task for each image that is work of its own, and its true edges.

Sizes decide the form. A PipelineRun's status repeats the whole Pipeline with its parameters put
in, so everything that is written for each of 189 tasks counts 400 times. Tasks are referred to by
name and given what only they need; a selection is compared in a way that takes no room while
nothing is selected: ``NAME in [$(params.components[*]), NAME$(params.components[0])]`` holds for
all names while the first component is the empty text, and for those selected otherwise. Giving
all names as the default would write 189 names into each of 189 tasks, 1 MB, which no cluster
stores.

A component that fails does not stop the others: its task's failure is set aside, what stands on
it ends at once because it finds no parent, and the release fails for what it lacks. Where there
is no release to fail, the first failure ends the run as usual.
"""

from __future__ import annotations

from collections.abc import Iterator

from okd_payload.build.plan import component_name
from okd_payload.build.work_graph import COPIED, WorkGraph, work_graph
from okd_payload.engines.manifests import Metadata
from okd_payload.engines.pod import labels
from okd_payload.engines.tekton.objects import API_VERSION, Given, Parameter, Result, Workspace
from okd_payload.engines.tekton.rendering import names
from okd_payload.engines.tekton.rendering.kinds import (
    CACHE,
    COMPONENTS,
    CREDENTIALS,
    PREFIX,
    REPORTS,
)
from okd_payload.engines.tekton.rendering.model import RenderSettings, Variant
from okd_payload.engines.tekton.rendering.objects import (
    BoundWorkspace,
    Pipeline,
    PipelineSpec,
    PipelineTask,
    TaskReference,
    When,
)
from okd_payload.engines.tekton.rendering.tasks import component_task

_COMPONENT_TIME, _SHORT_TIME, _RELEASE_TIME = "4h0m0s", "1h0m0s", "2h0m0s"
_RETRIES = 2
_CONTINUE = "continue"
_SNAPSHOT = Given(name="snapshot", value="$(tasks.snapshot.results.snapshot)")
_IMAGE = Given(name="image", value="$(params.image)")
_CREDENTIALS = (BoundWorkspace(name=CREDENTIALS, workspace=CREDENTIALS),)
_WORKSPACES = (*_CREDENTIALS, BoundWorkspace(name=CACHE, workspace=CACHE))


def pipeline_name(variant: str) -> str:
    """The name of the Pipeline of ``variant``."""
    return f"{PREFIX}{names.name_tasks([variant])[variant]}"


def render_pipeline(variant: Variant, settings: RenderSettings) -> Pipeline:
    """The Pipeline of ``variant``; equal plans give equal ones. Raises InputError."""
    work = work_graph(variant.plan)
    tasks = names.name_tasks(work.waits)
    writer = _Writer(variant, settings, work, tasks)
    return Pipeline(
        api_version=API_VERSION,
        kind="Pipeline",
        metadata=Metadata(
            name=pipeline_name(variant.name),
            labels={
                labels.MANAGED_BY: labels.MANAGER,
                labels.STREAM: labels.label_value(variant.plan.stream),
            },
        ),
        spec=PipelineSpec(
            description=f"Builds the stream {variant.plan.stream} from source and makes a release.",
            params=tuple(_parameters(variant, settings)),
            workspaces=_workspaces(),
            results=tuple(writer.results()),
            tasks=tuple(writer.tasks()),
            finally_=(writer.report(),),
        ),
    )


class _Writer:
    """Writes the tasks of one Pipeline."""

    def __init__(
        self, variant: Variant, settings: RenderSettings, work: WorkGraph, tasks: dict[str, str]
    ) -> None:
        self._variant = variant
        self._settings = settings
        self._work = work
        self._tasks = tasks

    def tasks(self) -> Iterator[PipelineTask]:
        yield self._snapshot()
        if self._work.copies:
            yield PipelineTask(
                name=names.IMPORTS,
                task_ref=TaskReference(name=PREFIX + "imports"),
                params=(_SNAPSHOT, _IMAGE),
                workspaces=_WORKSPACES,
                timeout=_RELEASE_TIME,
                retries=_RETRIES,
            )
        for node in self._work.waits:
            yield self._component(node)
        if self._variant.makes_releases:
            yield self._release()
            yield self._verify()

    def results(self) -> Iterator[Result]:
        yield Result(name=names.SNAPSHOT, value="$(tasks.snapshot.results.snapshot)")
        if self._variant.makes_releases:
            for name, result in (
                (names.RELEASE_NAME, "name"),
                (names.RELEASE_DIGEST, "digest"),
                (names.RELEASE_PULL_SPEC, "pull-spec"),
            ):
                yield Result(name=name, value=f"$(tasks.release.results.{result})")
        for task in self._tasks.values():
            yield Result(name=task, value=f"$(tasks.{task}.results.digest)")

    def report(self) -> PipelineTask:
        statuses = tuple(f"{node}=$(tasks.{task}.status)" for node, task in self._tasks.items())
        return PipelineTask(
            name=names.REPORT,
            task_ref=TaskReference(name=PREFIX + "report"),
            params=(
                _SNAPSHOT,
                Given(name="run", value="$(context.pipelineRun.name)"),
                Given(name="statuses", value=statuses),
                _IMAGE,
            ),
            workspaces=(*_CREDENTIALS, BoundWorkspace(name=REPORTS, workspace=REPORTS)),
            timeout="20m0s",
            retries=_RETRIES,
        )

    def _snapshot(self) -> PipelineTask:
        expected = self._work.digest if self._variant.is_exact else ""
        passed = {
            "url": "stream-url",
            "revision": "stream-revision",
            "path": "stream-path",
            "variant": "variant",
            "branch": "branch",
            "release-name": "release-name",
            "content": "content-repository",
            "releases": "release-repository",
            "given": "snapshot",
        }
        return PipelineTask(
            name=names.SNAPSHOT,
            task_ref=TaskReference(name=PREFIX + "snapshot"),
            params=(
                *(Given(name=own, value=f"$(params.{name})") for own, name in passed.items()),
                Given(name="expect", value=expected),
                Given(name="components", value=("$(params.components[*])",)),
                _IMAGE,
            ),
            workspaces=_WORKSPACES,
            timeout=_SHORT_TIME,
            retries=_RETRIES,
        )

    def _component(self, node: str) -> PipelineTask:
        made = self._variant.plan.nodes[node]
        name = component_name(made)
        waits = self._work.waits[node]
        releases = self._variant.makes_releases
        return PipelineTask(
            name=self._tasks[node],
            task_ref=TaskReference(name=component_task(made, self._settings.tool)),
            run_after=tuple(
                names.IMPORTS if parent == COPIED else self._tasks[parent] for parent in waits
            ),
            when=(
                When(
                    input=name,
                    operator="in",
                    values=("$(params.components[*])", f"{name}$(params.components[0])"),
                ),
            ),
            params=(Given(name="name", value=node), _SNAPSHOT, _IMAGE),
            workspaces=_WORKSPACES,
            timeout=_COMPONENT_TIME,
            retries=0 if releases else 1,
            on_error=_CONTINUE if releases else "",
        )

    def _release(self) -> PipelineTask:
        children = self._work.graph.children()
        last = sorted(self._tasks[node] for node, below in children.items() if not below)
        return PipelineTask(
            name=names.RELEASE,
            task_ref=TaskReference(name="new-release"),
            run_after=tuple(last) or ((names.IMPORTS,) if self._work.copies else ()),
            params=(
                _SNAPSHOT,
                Given(name="components", value=("$(params.components[*])",)),
                _IMAGE,
            ),
            workspaces=_WORKSPACES,
            timeout=_RELEASE_TIME,
            retries=_RETRIES,
        )

    def _verify(self) -> PipelineTask:
        return PipelineTask(
            name=names.VERIFY,
            task_ref=TaskReference(name=PREFIX + "verify"),
            params=(
                _SNAPSHOT,
                Given(name="release", value="$(tasks.release.results.pull-spec)"),
                _IMAGE,
            ),
            workspaces=_CREDENTIALS,
            timeout=_SHORT_TIME,
            retries=_RETRIES,
        )


def _parameters(variant: Variant, settings: RenderSettings) -> Iterator[Parameter]:
    def text(name: str, description: str, default: str = "") -> Parameter:
        return Parameter(name=name, description=description, default=default)

    publish = variant.publish
    yield text("stream-url", "The git repository of the stream.", settings.source_url)
    yield text("stream-revision", "Its branch, tag or commit.", settings.source_ref)
    yield text("stream-path", "The folder of the stream in it.", settings.source_path)
    yield text("variant", "Which stream of several.", variant.parameter)
    yield text("snapshot", "A snapshot to build, REPOSITORY@DIGEST, instead of the repository.")
    yield text("branch", "The branch of all components that do not pin one.")
    yield text("release-name", "The name of the release; empty for that of the stream.")
    yield text("content-repository", "Where component images go.", publish.content)
    yield text("release-repository", "Where releases go.", publish.releases)
    yield COMPONENTS
    yield text("image", "The image of okd-payload.", settings.tool.image)


def _workspaces() -> tuple[Workspace, ...]:
    return (
        Workspace(
            name=CREDENTIALS,
            description="A Secret with config.json for registries.",
            optional=True,
        ),
        Workspace(
            name=CACHE,
            description="A ReadWriteMany claim for what may be lost.",
            optional=True,
        ),
        Workspace(
            name=REPORTS,
            description="Where report.json and report.html are kept.",
            optional=True,
        ),
    )
