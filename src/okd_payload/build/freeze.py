# SPDX-License-Identifier: Apache-2.0
"""From a catalog to a plan with every input frozen, and the lock that says how.

This is the last moment at which the world outside is asked what a name means: afterwards
branches are commits, tags of registries are digests, and the plan can be carried out anywhere.
Only what the plan needs is asked for: one component of 190 costs one source, not 190.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec

from okd_payload.build.dockerfiles import DockerfileReader
from okd_payload.build.foreseeing import foresee
from okd_payload.build.graph import ancestors
from okd_payload.build.images import MadeImage
from okd_payload.build.inputs import Inputs, read_inputs
from okd_payload.build.pins import Resolver, pin_images
from okd_payload.build.plan import ExternalNode, ImportNode, Plan, component_name
from okd_payload.build.planner import make_plan
from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.codes import MISSING_FOLDER, PRIVATE_REFERENCE
from okd_payload.catalog.component import Component
from okd_payload.catalog.substitution import is_private
from okd_payload.issues import apply_permits
from okd_payload.oci.manifest import Platform
from okd_payload.source.lock import Lock, LockedImage, LockedSource
from okd_payload.source.model import SourceTree


class FrozenPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan, the catalog that it is of, and all its inputs as a lock."""

    catalog: Catalog
    plan: Plan
    lock: Lock
    only: frozenset[str] = frozenset()
    """The tags that were asked for; everything when empty."""


async def freeze(
    catalog: Catalog,
    *,
    sources: SourceTree,
    resolve: Resolver,
    platform: Platform,
    lock: Lock,
    only: Collection[str] = (),
) -> FrozenPlan:
    """The plan of ``catalog`` with what ``lock`` knows taken from there.

    With ``only``, the plan has those tags and what they are built on. What cannot be resolved is
    among the issues of the plan. Raises MissingTool or StorageError when no source can be read.
    """
    wanted = frozenset(only) or catalog.wanted_tags
    plan = await read_plan(catalog, wanted, sources=sources, platform=platform, lock=lock)
    if only:
        plan = select(plan, only)
    refused = _refused(plan, catalog)
    plan, images = await pin_images(plan, resolve, locked=lock.images, leaving=refused)
    locked = {
        node.component.name: LockedSource(node.component.source, node.base or node.commit)
        for node in plan.components
        if node.component.source is not None and node.commit is not None
    }
    issues = tuple(apply_permits(plan.issues, catalog.stream.permits))
    return FrozenPlan(
        catalog=catalog,
        plan=msgspec.structs.replace(plan, issues=issues),
        lock=Lock(sources=locked, images=images, imports=lock.imports),
        only=frozenset(only),
    )


async def read_plan(
    catalog: Catalog,
    tags: Collection[str],
    *,
    sources: SourceTree,
    platform: Platform,
    lock: Lock,
) -> Plan:
    """The plan of ``catalog``, read as far as ``tags`` and all that they are built on need.

    Nothing is known of what other components are built on. Raises MissingTool or StorageError.
    """
    # The catalog has told about folders that are not there.
    absent = {issue.component for issue in catalog.issues if issue.code == MISSING_FOLDER.code}
    unread = {item.tag: item for item in catalog.components if item.name not in absent}
    known = {item.tag for item in catalog.components}
    read: list[Component] = []
    reader = DockerfileReader(platform)
    inputs, needed = Inputs(), set(tags)
    while True:
        components = [unread.pop(tag) for tag in sorted(needed & unread.keys())]
        read += components
        inputs += await read_inputs(components, sources, lock=lock)
        inputs += await foresee(read, catalog, inputs, sources)
        plan = make_plan(catalog, inputs, reader=reader)
        needed |= ancestors(plan.graph, needed)
        # Builders that stand in for others are components of the plan, not of the catalog.
        generated = {node.name: node.component for node in plan.components}
        unread |= {tag: generated[tag] for tag in generated.keys() - known}
        known |= generated.keys()
        if needed.isdisjoint(unread):
            return plan


def _refused(plan: Plan, catalog: Catalog) -> frozenset[str]:
    """Private images that stop the plan anyway: asking for them costs time and tells nothing."""
    issues = apply_permits(plan.issues, catalog.stream.permits)
    users = {
        issue.component for issue in issues if issue.blocks and issue.code == PRIVATE_REFERENCE.code
    }
    return frozenset(
        name
        for name, children in plan.graph.children().items()
        if isinstance(plan.nodes[name], ExternalNode)
        and is_private(name)
        and users.issuperset(component_name(plan.nodes[child]) for child in children)
    )


def select(plan: Plan, tags: Iterable[str]) -> Plan:
    """``plan`` reduced to ``tags`` and what they are built on; issues of the rest are dropped."""
    wanted = set(tags)
    kept = wanted | ancestors(plan.graph, wanted)
    nodes = {name: node for name, node in plan.nodes.items() if name in kept}
    left_out = {component_name(node) for node in plan.nodes.values()}
    left_out -= {component_name(node) for node in nodes.values()}
    issues = tuple(issue for issue in plan.issues if issue.component not in left_out)
    return msgspec.structs.replace(plan, nodes=nodes, issues=issues)


def lock_imports(lock: Lock, plan: Plan, made: Mapping[str, MadeImage]) -> Lock:
    """``lock`` with the images that commands made in a run."""
    imports = {
        name: LockedImage(made[name].digest, made[name].media_type, made[name].size)
        for name, node in plan.nodes.items()
        if isinstance(node, ImportNode) and node.command and name in made
    }
    return msgspec.structs.replace(lock, imports=imports)
