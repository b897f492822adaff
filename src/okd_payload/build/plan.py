# SPDX-License-Identifier: Apache-2.0
"""The plan: what there is to make, what each thing stands on, and how that is known.

A plan is decided without building anything and is complete: every image operand of every
Dockerfile leads to a node, or is an issue. Nodes are components (built), imports (brought in
under a tag of the stream), aliases (another tag for one of these) and externals (images of
elsewhere that only a build needs, pinned).
"""

from __future__ import annotations

import enum

import msgspec

from okd_payload.build.graph import Graph
from okd_payload.catalog.builders.choice import ChosenVersion
from okd_payload.catalog.component import Component, Sharing
from okd_payload.issues import Issue
from okd_payload.source.model import Commit


class Relation(enum.Enum):
    """Why one image stands on another."""

    BASE = "base"
    FROM = "FROM"
    COPY = "COPY --from"
    MOUNT = "RUN --mount"
    FILES = "files"
    INPUT = "input"
    """Declared, and used by nothing that can be read before the build."""


class NamedBy(enum.Enum):
    """How an operand leads to its image."""

    NAME = "name"
    """It is a tag of the stream, or the pull spec of an image elsewhere."""
    BASE = "base"
    """The definition's base takes the place of the last FROM."""
    ALIAS = "alias"
    """An input of the definition has it as an alias."""
    SUBSTITUTION = "substitution"
    BUILDER = "builder"
    """It names a builder, and a builder of the stream stands in."""


class Dependency(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One reason for one edge of the graph."""

    node: str
    """What is needed."""
    relation: Relation
    operand: str = ""
    """As the Dockerfile or the definition writes it."""
    rule: str = ""
    """What led from the operand to the node: an alias, a substitution, the name itself."""
    line: int = 0
    named_by: NamedBy = NamedBy.NAME
    declared: bool = True
    """Whether the definition says too that it needs the node: as its base or among its inputs."""
    reference: str = ""
    """What the source's Dockerfile says: other than the operand where a base takes its place."""
    versions: tuple[ChosenVersion, ...] = ()
    """Of a builder: what was asked for, and what is given."""


class ComponentNode(msgspec.Struct, frozen=True, kw_only=True, tag="component"):
    """A component, its frozen source and everything it stands on."""

    name: str
    """The tag that its image gets: the name of the node."""
    component: Component
    commit: Commit | None
    base: Commit | None = None
    """The commit that `commit` is made from, when patches or a change are in it."""
    dockerfile: bytes | None
    """As it is in the source; None when it is copied out of a parent during the build."""
    foreseen: bool = False
    """Whether the copied Dockerfile was read where the parent will get it from."""
    built_like: str = ""
    """Of a builder of the stream's matrix: the component that is its definition."""
    dependencies: tuple[Dependency, ...] = ()


class AliasNode(msgspec.Struct, frozen=True, kw_only=True, tag="alias"):
    """Another tag for an image of the stream."""

    name: str
    target: str
    """The node whose image it is."""
    stub: str = ""
    """The reason, when the image stands in for a component that is not built."""


class ImportNode(msgspec.Struct, frozen=True, kw_only=True, tag="import"):
    """An image brought in under a tag of the stream: by reference, or made by a command."""

    name: str
    reference: str = ""
    """Pinned by digest; empty when a command makes the image."""
    command: tuple[str, ...] = ()
    directory: str = ""
    """Where the command runs."""
    stub: str = ""
    """The reason, when the image stands in for a component that is not built."""
    sharing: Sharing | None = None
    """Of an image that a release has: whether OKD and OCP ship it."""
    sharing_reason: str = ""


class ExternalNode(msgspec.Struct, frozen=True, kw_only=True, tag="external"):
    """An image of elsewhere that only builds need; its name is the reference as written."""

    name: str
    reference: str
    """Pinned by digest."""


Node = ComponentNode | AliasNode | ImportNode | ExternalNode


def component_name(node: Node) -> str:
    """The name people know ``node`` by: the component's own, which may differ from its tag."""
    return node.component.name if isinstance(node, ComponentNode) else node.name


def class_of(node: Node) -> tuple[Sharing | None, str]:
    """Whether OKD and OCP ship the image of ``node``, and how that is known."""
    if isinstance(node, ComponentNode):
        return node.component.sharing, node.component.sharing_reason
    if isinstance(node, ImportNode):
        return node.sharing, node.sharing_reason
    return None, ""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """All nodes of a stream by name, the graph between them, and what is wrong with it."""

    stream: str
    nodes: dict[str, Node]
    issues: tuple[Issue, ...] = ()

    @property
    def graph(self) -> Graph:
        """The nodes and their parents."""
        return Graph({name: _parents(node) for name, node in self.nodes.items()})

    @property
    def components(self) -> tuple[ComponentNode, ...]:
        """The nodes that are built, by name."""
        nodes = (self.nodes[name] for name in sorted(self.nodes))
        return tuple(node for node in nodes if isinstance(node, ComponentNode))


def _parents(node: Node) -> tuple[str, ...]:
    if isinstance(node, AliasNode):
        return (node.target,)
    if not isinstance(node, ComponentNode):
        return ()
    return tuple(sorted({dependency.node for dependency in node.dependencies}))
