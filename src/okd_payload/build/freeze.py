# SPDX-License-Identifier: Apache-2.0
"""From a catalog to a plan with every input frozen, and the lock that says how.

This is the last moment at which the world outside is asked what a name means: afterwards
branches are commits, tags of registries are digests, and the plan can be carried out anywhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec

from okd_payload.build.graph import ancestors, descendants
from okd_payload.build.images import MadeImage
from okd_payload.build.inputs import read_inputs
from okd_payload.build.pins import Resolver, pin_images
from okd_payload.build.plan import ComponentNode, ImportNode, Plan
from okd_payload.build.planner import make_plan
from okd_payload.catalog.catalog import Catalog
from okd_payload.issues import apply_permits
from okd_payload.oci.manifest import Platform
from okd_payload.source.lock import Lock, LockedImage, LockedSource
from okd_payload.source.model import Source, SourceTree


class FrozenPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan, and all its inputs as a lock."""

    plan: Plan
    lock: Lock


async def freeze(
    catalog: Catalog,
    *,
    sources: SourceTree,
    resolve: Resolver,
    platform: Platform,
    lock: Lock,
    only: Collection[str] = (),
    with_dependants: bool = False,
) -> FrozenPlan:
    """The plan of ``catalog`` with what ``lock`` knows taken from there.

    With ``only``, the plan has those tags (``with_dependants``: and all that is built on them)
    and what they are built on. What cannot be resolved is among the issues of the plan.
    """
    inputs = await read_inputs(catalog.components, sources, lock=lock)
    plan = make_plan(catalog, inputs, platform=platform)
    if only:
        dependants = descendants(plan.graph, only) if with_dependants else ()
        plan = select(plan, {*only, *dependants})
    plan, images = await pin_images(plan, resolve, locked=lock.images)
    issues = tuple(apply_permits(plan.issues, catalog.stream.permits))
    locked = {
        node.component.name: LockedSource(node.component.source, node.commit)
        for node in plan.components
        if node.component.source is not None and node.commit is not None
    }
    return FrozenPlan(
        plan=msgspec.structs.replace(plan, issues=issues),
        lock=Lock(sources=locked, images=images, imports=lock.imports),
    )


def select(plan: Plan, tags: Iterable[str]) -> Plan:
    """``plan`` reduced to ``tags`` and what they are built on; issues of the rest are dropped."""
    wanted = set(tags)
    kept = wanted | ancestors(plan.graph, wanted)
    nodes = {name: node for name, node in plan.nodes.items() if name in kept}
    left_out = {
        name if not isinstance(node, ComponentNode) else node.component.name
        for name, node in plan.nodes.items()
        if name not in kept
    }
    issues = tuple(issue for issue in plan.issues if issue.component not in left_out)
    return msgspec.structs.replace(plan, nodes=nodes, issues=issues)


def override_sources(catalog: Catalog, overrides: Mapping[str, Source]) -> Catalog:
    """``catalog`` with other sources for some components. Raises UnknownName."""
    wanted = {catalog.component(name).name: source for name, source in overrides.items()}
    components = tuple(
        msgspec.structs.replace(component, source=wanted[component.name])
        if component.name in wanted
        else component
        for component in catalog.components
    )
    return msgspec.structs.replace(catalog, components=components)


def lock_imports(lock: Lock, plan: Plan, made: Mapping[str, MadeImage]) -> Lock:
    """``lock`` with the images that commands made in a run."""
    imports = {
        name: LockedImage(made[name].digest, made[name].media_type, made[name].size)
        for name, node in plan.nodes.items()
        if isinstance(node, ImportNode) and node.command and name in made
    }
    return msgspec.structs.replace(lock, imports=imports)
