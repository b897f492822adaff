# SPDX-License-Identifier: Apache-2.0
"""Real and small streams, planned for rendering."""

from __future__ import annotations

from pathlib import Path

from facts import read_trees, serve
from streams import AMD64

from okd_payload.build.freeze import read_plan
from okd_payload.build.plan import Plan
from okd_payload.build.work_graph import work_graph
from okd_payload.catalog.load import load_catalog
from okd_payload.clock import SystemClock
from okd_payload.engines.manifests import Manifest
from okd_payload.engines.tekton.rendering import (
    RenderSettings,
    Variant,
    render_pipeline,
    render_run,
    render_tasks,
)
from okd_payload.locations import find_locations
from okd_payload.source.lock import Lock
from okd_payload.source.model import GitSource, SourceTree
from okd_payload.source.tree import Sources

EXAMPLES = Path(__file__).resolve().parents[4] / "examples"
VARIANTS = ("scos", "fcos", "fcos-multiarch")
STREAMS = (*VARIANTS, "quickstart", "debian")


async def plan_of(path: Path, sources: SourceTree) -> Plan:
    """The plan of the stream at ``path``."""
    catalog = load_catalog(path)
    return await read_plan(
        catalog, catalog.wanted_tags, sources=sources, platform=AMD64, lock=Lock()
    )


async def real_plan(variant: str, data: Path, folder: Path) -> Plan:
    """The plan of a variant of the real catalog, with the recorded facts as Dockerfiles."""
    path = folder / "stream.yaml"
    kustomization = data / "okd-payload-pipeline" / "variants" / variant
    path.write_text(f"name: {variant}\ncatalog: [{{kustomization: {kustomization}}}]\n")
    trees = read_trees(data)
    by_url = {url: files for (url, _), files in trees.items()}
    for component in load_catalog(path).components:
        source = component.source
        if isinstance(source, GitSource) and source.url in by_url:
            trees.setdefault((source.url, source.ref), by_url[source.url])
    return await plan_of(path, serve(trees))


async def plan_stream(name: str, data: Path, folder: Path) -> Plan:
    """The plan of one of ``STREAMS``."""
    if name in VARIANTS:
        return await real_plan(name, data, folder)
    locations = find_locations(cache=folder / "cache", state=folder / "state")
    return await plan_of(EXAMPLES / name, Sources(locations, clock=SystemClock()))


def render_all(plan: Plan, settings: RenderSettings | None = None) -> list[Manifest]:
    """The Tasks, the Pipeline and a run of ``plan``."""
    settings = settings or RenderSettings()
    variant = Variant(name=plan.stream, plan=plan)
    nodes = [plan.nodes[name] for name in work_graph(plan).waits]
    tasks = render_tasks(nodes, settings.tool)
    return [*tasks, render_pipeline(variant, settings), render_run(variant, settings)]
