# SPDX-License-Identifier: Apache-2.0
"""A plan as Shipwright's strategy and one Build for each component, as files.

A Build says all that a BuildConfig says, at the commit of the plan, and can be run by anybody
with one BuildRun. Shipwright knows no order between Builds: whoever runs several starts what
others stand on first. The waves stand in the file that says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from okd_payload.build.graph import waves
from okd_payload.build.plan import ComponentNode, Dependency, ExternalNode, Plan, Relation
from okd_payload.build.source_build import encode_text
from okd_payload.catalog.component import Argument, Component
from okd_payload.catalog.dockerfile import decode_dockerfile, select_arguments
from okd_payload.cluster import kinds
from okd_payload.engines.manifests import Metadata, TextFile, make_kustomization, write_documents
from okd_payload.engines.pod.labels import COMPONENT, MANAGED_BY, MANAGER, STREAM, label_value
from okd_payload.engines.pod.nodes import ARCHITECTURE_LABEL
from okd_payload.engines.pod.resources import requirements_of
from okd_payload.engines.pod.tool import ToolSettings
from okd_payload.engines.shipwright import objects
from okd_payload.engines.shipwright.naming import object_name
from okd_payload.engines.shipwright.run_state import STEP
from okd_payload.engines.shipwright.strategy import (
    COMPONENT_STRATEGY,
    SOURCE_STRATEGY,
    make_component_strategy,
    make_source_strategy,
)
from okd_payload.oci.manifest import Platform
from okd_payload.source.model import GitSource

EXAMPLE_FILE = "buildrun-example.yaml"


class RenderSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How rendered Builds run."""

    repository: str
    """Where the images of the stream are, and go."""
    tool: ToolSettings
    platform: Platform
    timeout: str = "4h"
    kept: int = 2
    """BuildRuns of each Build that stay, of those that went well and of the others."""


def render_folder(plan: Plan, settings: RenderSettings) -> list[TextFile]:
    """The files of ``plan``. Raises InputError for settings that Shipwright does not have."""
    files, names = [], []
    for node in plan.components:
        build = render_build(node, plan, settings)
        names.append(f"{build.metadata.name}.yaml")
        files.append(TextFile(f"builds/{names[-1]}", write_documents([build])))
    strategies = [make_source_strategy(settings.tool), make_component_strategy(settings.tool)]
    return [
        TextFile("strategy/okd-payload.yaml", write_documents(strategies)),
        _kustomization("strategy", ("okd-payload.yaml",)),
        *files,
        _kustomization("builds", tuple(names)),
        _kustomization("", ("strategy", "builds")),
        _example(plan, settings),
    ]


def render_build(node: ComponentNode, plan: Plan, settings: RenderSettings) -> objects.Build:
    """The Build of one component: of its git repository, else of a snapshot."""
    component = node.component
    host = settings.repository.partition("/")[0]
    spec = objects.BuildSpecification(
        source=_source_of(node),
        strategy=objects.StrategyReference(
            name=SOURCE_STRATEGY if _is_in_git(node) else COMPONENT_STRATEGY,
            kind=kinds.CLUSTER_BUILD_STRATEGY.kind,
            step_resources=(
                objects.StepResources(
                    name=STEP,
                    resources=requirements_of(component.resources, defaults=settings.tool.defaults),
                ),
            ),
        ),
        param_values=tuple(
            _values(node, plan, settings) if _is_in_git(node) else _snapshot_values(node, settings)
        ),
        output=objects.Output(
            image=f"{settings.repository}:{component.tag}",
            insecure=True if host in settings.tool.plain_http else None,
        ),
        retention=objects.BuildRetention(
            at_build_deletion=True, failed_limit=settings.kept, succeeded_limit=settings.kept
        ),
        timeout=settings.timeout,
        node_selector={ARCHITECTURE_LABEL: settings.platform.architecture},
    )
    labels = {
        MANAGED_BY: MANAGER,
        STREAM: label_value(plan.stream),
        COMPONENT: label_value(component.name),
    }
    return objects.Build(
        **objects.type_of(kinds.SHIPWRIGHT_BUILD),
        metadata=Metadata(name=object_name(component.name), labels=labels),
        spec=spec,
    )


def _is_in_git(node: ComponentNode) -> bool:
    """Whether Shipwright can clone what is built; without a source there is nothing to clone."""
    source = node.component.source
    altered = bool(node.component.patches) or node.base is not None
    return source is None or (isinstance(source, GitSource) and not altered)


def _source_of(node: ComponentNode) -> objects.Source | None:
    source = node.component.source
    if not isinstance(source, GitSource) or not _is_in_git(node):
        return None
    context = node.component.context_directory
    return objects.Source(
        type="Git",
        git=objects.GitSource(
            url=source.url, revision=node.commit.id if node.commit else source.ref
        ),
        context_dir="" if context == "." else context,
    )


def _values(
    node: ComponentNode, plan: Plan, settings: RenderSettings
) -> Iterator[objects.ParameterValue]:
    """The parameters in which the Build differs from the strategy's defaults."""
    component = node.component
    base = next((_pull_spec(each, plan, settings) for each in _of(node, Relation.BASE)), "")
    texts = {
        "dockerfile": component.dockerfile_path if component.dockerfile is None else "Dockerfile",
        "inline": encode_text(component.dockerfile) if component.dockerfile is not None else "",
        "base": base,
        "layering": component.layering.value,
    }
    defaults = {"dockerfile": "Dockerfile", "inline": "", "base": "", "layering": "one"}
    for name, text in texts.items():
        if text != defaults[name]:
            yield objects.ParameterValue(name=name, value=text)
    lists = {
        "images": sorted(set(_images(node, plan, settings))),
        "copies": list(_copies(node, plan, settings)),
        "build-args": _pairs(_arguments(node)),
        "env": _pairs(component.environment),
        "labels": _pairs(component.labels),
    }
    plain = [word for host in settings.tool.plain_http for word in ("--plain-http", host)]
    for name, words in {**lists, "options": plain}.items():
        if words:
            yield objects.ParameterValue(
                name=name, values=tuple(objects.Value(value=word) for word in words)
            )


def _snapshot_values(
    node: ComponentNode, settings: RenderSettings
) -> Iterator[objects.ParameterValue]:
    """The parameters of a Build whose source travels in the snapshot that its run names."""
    yield objects.ParameterValue(name="component", value=node.component.name)
    yield objects.ParameterValue(name="repository", value=settings.repository)


def _images(node: ComponentNode, plan: Plan, settings: RenderSettings) -> Iterator[str]:
    """What FROM and COPY --from name, and the images that they mean."""
    for each in _of(node, Relation.FROM, Relation.COPY, Relation.MOUNT):
        yield f"{each.operand}={_pull_spec(each, plan, settings)}"
    for each in _of(node, Relation.INPUT):
        for item in node.component.inputs:
            if item.image == each.operand:
                spec = _pull_spec(each, plan, settings)
                yield from (f"{alias}={spec}" for alias in item.aliases)


def _copies(node: ComponentNode, plan: Plan, settings: RenderSettings) -> Iterator[str]:
    for each in _of(node, Relation.FILES):
        for item in node.component.inputs:
            if item.image == each.operand:
                spec = _pull_spec(each, plan, settings)
                yield from (f"{spec}={copy.source}={copy.destination}" for copy in item.copies)


def _arguments(node: ComponentNode) -> tuple[Argument, ...]:
    """The build arguments, those that the stream offers where the Dockerfile takes them."""
    component: Component = node.component
    if node.dockerfile is None:
        return component.build_arguments
    path = f"Dockerfile of {component.name}"
    return select_arguments(decode_dockerfile(node.dockerfile, path=path), component)


def _pairs(arguments: Iterable[Argument]) -> list[str]:
    return [f"{item.name}={item.value}" for item in arguments]


def _of(node: ComponentNode, *relations: Relation) -> list[Dependency]:
    return [each for each in node.dependencies if each.relation in relations]


def _pull_spec(dependency: Dependency, plan: Plan, settings: RenderSettings) -> str:
    """Where a pod gets the image that is needed: a tag of the stream, or an image elsewhere."""
    needed = plan.nodes[dependency.node]
    if isinstance(needed, ExternalNode):
        return needed.reference
    return f"{settings.repository}:{needed.name}"


def _kustomization(folder: str, resources: tuple[str, ...]) -> TextFile:
    path = f"{folder}/kustomization.yaml" if folder else "kustomization.yaml"
    return TextFile(path, write_documents([make_kustomization(resources=resources)]))


def _example(plan: Plan, settings: RenderSettings) -> TextFile:
    """How one Build is run, and in which order several are."""
    nodes = {node.name: node for node in plan.components}
    ordered = [
        [object_name(nodes[name].component.name) for name in wave if name in nodes]
        for wave in waves(plan.graph)
    ]
    told = [wave for wave in ordered if wave]
    first = told[0][0] if told else "NAME"
    run = objects.BuildRun(
        **objects.type_of(kinds.SHIPWRIGHT_BUILD_RUN),
        metadata=Metadata(generate_name=f"{first}-"),
        spec=objects.BuildRunSpecification(build=objects.BuildReference(name=first)),
    )
    comment = [
        "Runs one Build: kubectl create -f this file.",
        "Shipwright knows no order between Builds. `okd-payload build --engine shipwright` and a",
        "rendered Tekton Pipeline do. By hand, one line after the other:",
        *(f"  {number}. {' '.join(wave)}" for number, wave in enumerate(told, 1)),
    ]
    if not all(_is_in_git(node) for node in plan.components):
        comment.append(
            f"Builds with the strategy {COMPONENT_STRATEGY} need the parameter snapshot, which "
            "`okd-payload step snapshot` gives."
        )
    if settings.tool.credentials:
        comment.append(f"Pods need the Secret {settings.tool.credentials} in the namespace.")
    return TextFile(EXAMPLE_FILE, write_documents([run], comment=comment))
