# SPDX-License-Identifier: Apache-2.0
"""Rendered Pipelines: their graph is the plan's, and a cluster takes and stores them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rendered import STREAMS, VARIANTS, render_all
from streams import inline, plan_of, write_stream

from okd_payload.build.plan import (
    AliasNode,
    ComponentNode,
    Dependency,
    ExternalNode,
    ImportNode,
    Node,
    Plan,
    Relation,
    component_name,
)
from okd_payload.build.work_graph import work_graph
from okd_payload.catalog.component import Component, Origin
from okd_payload.cluster import ObjectKind
from okd_payload.cluster.kinds import PIPELINE, PIPELINE_RUN, TASK
from okd_payload.engines.manifests import Manifest, ManifestLimit, encode_manifest
from okd_payload.engines.pod.security import SecurityProfile
from okd_payload.engines.pod.tool import ToolSettings
from okd_payload.engines.tekton.rendering import (
    RenderSettings,
    Variant,
    render_folder,
    render_pipeline,
    render_run,
)
from okd_payload.engines.tekton.rendering.names import name_tasks
from okd_payload.engines.tekton.rendering.objects import Pipeline, PipelineTask, Task
from okd_payload.engines.tekton.rendering.selection import check_selection
from okd_payload.errors import InputError
from okd_payload.testing.kubernetes import MemoryCluster, SimulatedCluster
from okd_payload.testing.tekton.admission import Refusal, admit, check_variables
from okd_payload.testing.tekton.admission.plugin import add_tekton
from okd_payload.testing.yardstick import attempt_below

Planned = Callable[[str], Plan]
_KINDS: dict[str, ObjectKind] = {"Task": TASK, "Pipeline": PIPELINE, "PipelineRun": PIPELINE_RUN}
_GLUE = {"snapshot", "imports", "release", "verify"}


def pipeline_of(plan: Plan, **changes: Any) -> Pipeline:
    """The Pipeline of ``plan``."""
    return render_pipeline(Variant(name=plan.stream, plan=plan, **changes), RenderSettings())


def tasks_of(pipeline: Pipeline) -> dict[str, PipelineTask]:
    """The tasks by name."""
    return {task.name: task for task in pipeline.spec.tasks}


def behind(plan: Plan, name: str) -> str:
    """The task that makes the image of ``name``."""
    node = plan.nodes[name]
    if isinstance(node, AliasNode):
        return behind(plan, node.target)
    if isinstance(node, ExternalNode) or (isinstance(node, ImportNode) and not node.command):
        return "imports"
    return name_tasks([name])[name]


def edges_of(pipeline: Pipeline) -> dict[str, set[str]]:
    """What the tasks that make images wait for."""
    glue = _GLUE - {task.name for task in pipeline.spec.tasks if task.when}
    return {task.name: set(task.run_after) for task in pipeline.spec.tasks if task.name not in glue}


def expected_edges(plan: Plan) -> dict[str, set[str]]:
    """What they have to wait for, by the plan."""
    return {
        behind(plan, name): {behind(plan, parent) for parent in plan.graph.parents_of(name)}
        for name, node in plan.nodes.items()
        if isinstance(node, ComponentNode) or (isinstance(node, ImportNode) and node.command)
    }


@pytest.mark.parametrize("stream", STREAMS)
def test_the_graph_is_that_of_the_plan(planned: Planned, stream: str) -> None:
    """Every image is made by one task, which waits for exactly those that make its parents."""
    plan = planned(stream)
    pipeline = pipeline_of(plan)
    tasks, expected = tasks_of(pipeline), expected_edges(plan)
    assert edges_of(pipeline) == expected
    named = {task.params[0].value: name for name, task in tasks.items() if name not in _GLUE}
    assert named == {name: behind(plan, name) for name in plan.nodes if name in named}
    results = {result.value for result in pipeline.spec.results}
    assert {f"$(tasks.{name}.results.digest)" for name in expected} <= results


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """A plan of up to a dozen images of every kind, each on some of those before it."""
    names = draw(
        st.lists(
            st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_./:-]{0,70}", fullmatch=True)
            | st.sampled_from(["imports", "release", "status", "snapshot"]),
            min_size=1,
            max_size=12,
            unique=True,
        )
    )
    nodes: dict[str, Node] = {}
    for name in names:
        kind = draw(st.sampled_from(["component", "alias", "command", "pulled", "external"]))
        parents = draw(st.sets(st.sampled_from(sorted(nodes)), max_size=4)) if nodes else set()
        if kind == "alias" and parents:
            nodes[name] = AliasNode(name=name, target=min(parents))
        elif kind == "command":
            nodes[name] = ImportNode(name=name, command=("./run",))
        elif kind == "pulled":
            nodes[name] = ImportNode(name=name, reference="r.test/x")
        elif kind == "external":
            nodes[name] = ExternalNode(name=name, reference="r.test/x")
        else:
            nodes[name] = ComponentNode(
                name=name,
                component=Component(name=name, tag=name, origin=Origin("")),
                commit=None,
                dockerfile=b"",
                dependencies=tuple(
                    Dependency(node=parent, relation=Relation.FROM) for parent in sorted(parents)
                ),
            )
    return Plan(stream="any", nodes=nodes)


@given(plans())
def test_any_graph_is_that_of_its_plan_and_is_admitted(plan: Plan) -> None:
    """Whatever images are called and stand on."""
    pipeline = pipeline_of(plan)
    assert edges_of(pipeline) == expected_edges(plan)
    admitted = admit(encode_manifest(pipeline))
    assert not isinstance(admitted, Refusal), admitted.message
    assert check_variables(*map(encode_manifest, render_all(plan))) == ()


@pytest.mark.parametrize("stream", STREAMS)
def test_the_release_waits_for_everything(planned: Planned, stream: str) -> None:
    """Whatever is built is an ancestor of the release, which is verified after."""
    tasks = tasks_of(pipeline_of(planned(stream)))
    seen: set[str] = set()
    waiting = list(tasks["release"].run_after)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += tasks[name].run_after
    assert seen | {"snapshot", "release", "verify"} >= set(tasks)
    assert "$(tasks.release.results.pull-spec)" in {item.value for item in tasks["verify"].params}


@pytest.mark.parametrize("stream", STREAMS)
async def test_a_cluster_with_tekton_takes_every_object(
    planned: Planned, shared_data: Path, stream: str
) -> None:
    """By its real schemas, strictly, and by the rules of its webhooks; no variable is a mistake."""
    simulated = SimulatedCluster()
    add_tekton(simulated)
    simulated.install(shared_data / "crds" / "tekton-pipelines")
    cluster = MemoryCluster("builds", cluster=simulated)
    rendered = render_all(planned(stream))
    for manifest in rendered:
        await cluster.create(_KINDS[manifest.kind], encode_manifest(manifest))
    assert check_variables(*map(encode_manifest, rendered)) == ()


def run_with_status(plan: Plan, components: tuple[str, ...] = ()) -> dict[str, int]:
    """The bytes of a Pipeline, and of a finished run as the server stores it.

    The status repeats the Pipeline with parameters put in, names every child with what decided
    whether it ran, and has every result (``tekton-recordings``, "Wide pipelines").
    """
    variant, settings = Variant(name=plan.stream, plan=plan), RenderSettings()
    pipeline = render_pipeline(variant, settings)
    run = render_run(variant, settings, components=components)
    text = encode_manifest(pipeline).decode()
    chosen = components or ("",)
    put_in = text.replace('"$(params.components[*])"', ",".join(f'"{name}"' for name in chosen))
    put_in = put_in.replace("$(params.components[0])", chosen[0])
    put_in = put_in.replace("$(params.image)", settings.tool.image)
    spec = msgspec.json.decode(put_in)["spec"]
    children = [
        {
            "apiVersion": "tekton.dev/v1",
            "kind": "TaskRun",
            "name": f"{pipeline.metadata.name}-abcde-{task['name']}"[:63],
            "pipelineTaskName": task["name"],
            "whenExpressions": task.get("when", []),
        }
        for task in spec["tasks"]
    ]
    results = [
        {"name": result.name, "value": "sha256:" + "0" * 64} for result in pipeline.spec.results
    ]
    defaults = 60 * len(spec["tasks"])  # kind, computeResources and types that the webhook writes
    status = {"pipelineSpec": spec, "childReferences": children, "results": results}
    return {
        "pipeline": len(encode_manifest(pipeline)),
        "run": len(encode_manifest(run)) + len(msgspec.json.encode(status)) + defaults,
    }


def test_189_components_stay_within_what_a_cluster_stores(planned: Planned) -> None:
    """A Pipeline of 150 KB can be applied by kubectl, and its run is a fifth of the limit."""
    sizes = run_with_status(planned("scos"))
    assert sizes["pipeline"] < 160_000 < ManifestLimit.ANNOTATIONS
    assert sizes["run"] < 300_000 < ManifestLimit.STORED // 5


def test_what_a_cluster_would_not_store_is_refused(planned: Planned) -> None:
    """The most names that are let through fit; all of them would not, and are refused."""
    plan = planned("scos")
    names = tuple(sorted((component_name(node) for node in plan.components), key=len))
    tasks = len(work_graph(plan).waits)
    largest = max(count for count in range(len(names)) if is_accepted(names[-count:], tasks))
    assert 100 < largest < 150
    assert run_with_status(plan, names[-largest:])["run"] < ManifestLimit.STORED
    assert run_with_status(plan, names)["run"] > ManifestLimit.STORED
    assert not is_accepted(names, tasks)


def is_accepted(names: tuple[str, ...], tasks: int) -> bool:
    """Whether a run of ``tasks`` components may name ``names``."""
    try:
        check_selection(names, tasks=tasks)
    except InputError:
        return False
    return True


@pytest.mark.parametrize(
    ("components", "chosen"),
    [(("",), {"base", "etcd"}), (("etcd",), {"etcd"}), (("base", "etcd"), {"base", "etcd"})],
)
async def test_a_selection_decides_what_runs(
    tmp_path: Path, components: tuple[str, ...], chosen: set[str]
) -> None:
    """With the empty name every component runs, with names only those."""
    catalog = write_stream(tmp_path, {"base": inline("FROM scratch"), "etcd": inline("FROM base")})
    tasks = tasks_of(pipeline_of(await plan_of(catalog)))
    ran = set()
    for name in ("base", "etcd"):
        (when,) = tasks[name].when
        values = [
            value
            for written in when.values
            for value in (
                components
                if written == "$(params.components[*])"
                else [written.replace("$(params.components[0])", components[0])]
            )
        ]
        if when.input in values:
            ran.add(name)
    assert ran == chosen


async def test_names_that_tekton_does_not_take_are_mapped(tmp_path: Path) -> None:
    """Dots, upper case and a task's own name: each image has a task, which is told its name."""
    components = {
        "base": inline("FROM scratch"),
        "release": inline("FROM base"),
        "etcd": inline("FROM base", more="tag: Etcd_3.5\n"),
    }
    plan = await plan_of(write_stream(tmp_path, components))
    tasks = tasks_of(pipeline_of(plan))
    told = {str(task.params[0].value) for task in tasks.values() if task.on_error}
    assert told == {"base", "release", "Etcd_3.5"}
    assert tasks["release"].task_ref.name == "new-release"


async def test_a_stream_without_releases_fails_at_the_first_failure(tmp_path: Path) -> None:
    """Nothing would tell of the failure otherwise: so it is tried again, and not set aside."""
    plan = await plan_of(write_stream(tmp_path, {"base": inline("FROM scratch")}))
    tasks = tasks_of(pipeline_of(plan, makes_releases=False))
    assert "release" not in tasks
    assert (tasks["base"].on_error, tasks["base"].retries) == ("", 1)


def test_rendering_189_components_takes_less_than_a_second(planned: Planned) -> None:
    """CPU time, of all files of a variant."""
    variant = Variant(name="scos", plan=planned("scos"))
    for cost in attempt_below(0.5):
        with cost:
            render_folder([variant], RenderSettings())


@pytest.mark.parametrize("profile", SecurityProfile)
def test_only_what_builds_has_privileges(planned: Planned, profile: SecurityProfile) -> None:
    """All have requests and limits; what plans and pushes runs as an ordinary user."""
    settings = RenderSettings(tool=ToolSettings(profile=profile, credentials="secret-one"))
    rendered = render_all(planned("quickstart"), settings)
    for task in (each for each in rendered if isinstance(each, Task)):
        (step,) = task.spec.steps
        assert step.compute_resources.requests.memory
        assert step.compute_resources.limits.cpu
        builds = task.metadata.name.startswith(("okd-payload-component", "batch-build"))
        if not builds:
            assert step.security_context.run_as_non_root is True
            assert step.security_context.allow_privilege_escalation is False
        assert (step.security_context.privileged is True) == (
            builds and profile is SecurityProfile.PRIVILEGED
        )
    # Credentials are a workspace: no Task and no Pipeline names a Secret.
    texts = b"".join(encode_manifest(each).lower() for each in without_run(rendered))
    assert b"secret-one" not in texts
    assert b"secretname" not in texts


def without_run(manifests: list[Manifest]) -> list[Manifest]:
    """All but the run, which binds the Secret by its name."""
    return [each for each in manifests if each.kind != "PipelineRun"]


def test_no_value_is_taken_for_an_option(planned: Planned) -> None:
    """Whatever people or events put into parameters."""
    for task in (each for each in render_all(planned("quickstart")) if isinstance(each, Task)):
        (step,) = task.spec.steps
        words = list(step.args)
        values = [word for word in words if "$(" in word and not word.startswith("--")]
        assert all(words.index(value) > words.index("--") for value in values)


@pytest.mark.parametrize("variant", VARIANTS)
def test_two_amounts_of_resources_are_two_tasks(planned: Planned, variant: str) -> None:
    """Tekton takes no parameter for resources, and the real catalog asks for two."""
    rendered = render_all(planned(variant))
    names = [each.metadata.name for each in rendered if "component" in each.metadata.name]
    assert names == ["okd-payload-component-4-4gi", "okd-payload-component-6-8gi"]
