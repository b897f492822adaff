# SPDX-License-Identifier: Apache-2.0
"""The edges of a plan as a list: what needs what, where that is said, and what was replaced.

A plan keeps edges with the component that has them. People ask the other way round: which
references got another meaning, by which rule, and which builders are made for whom. Nothing is
decided here.
"""

from __future__ import annotations

from collections import Counter, defaultdict

import msgspec

from okd_payload.build.plan import Dependency, NamedBy, Plan, Relation
from okd_payload.catalog.builders.choice import ChosenVersion


class Edge(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One reason why an image needs another."""

    image: str
    needs: str
    relation: Relation
    named_by: NamedBy
    declared: bool
    """Whether the definition says so too."""
    reference: str
    """As the Dockerfile or the definition has it."""
    rule: str
    line: int


class EdgeCount(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How many edges there are of one kind."""

    relation: Relation
    named_by: NamedBy
    declared: bool
    count: int


class Replacement(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A reference that means something else than it says, and for whom."""

    reference: str
    means: str
    named_by: NamedBy
    rule: str
    versions: tuple[ChosenVersion, ...]
    """Of a builder: what was asked for, and what is given."""
    images: tuple[str, ...]
    """Whose Dockerfiles have the reference."""

    @property
    def is_approximate(self) -> bool:
        """Whether a builder of another version than was asked for stands in."""
        return any(version.is_approximate for version in self.versions)

    @property
    def reason(self) -> str:
        """Why it means that, for people."""
        if self.versions:
            return ", ".join(map(str, self.versions))
        return self.rule or self.named_by.value


def list_edges(plan: Plan) -> tuple[Edge, ...]:
    """Every edge of every component, in the order of their names."""
    return tuple(
        Edge(
            image=node.name,
            needs=each.node,
            relation=each.relation,
            named_by=each.named_by,
            declared=each.declared,
            reference=each.reference,
            rule=each.rule,
            line=each.line,
        )
        for node in plan.components
        for each in node.dependencies
    )


def count_edges(plan: Plan) -> tuple[EdgeCount, ...]:
    """How many edges there are of each kind, most frequent first."""
    counts = Counter(
        (edge.relation, edge.named_by, edge.declared) for edge in list_edges(plan)
    ).most_common()
    return tuple(
        EdgeCount(relation=relation, named_by=named_by, declared=declared, count=count)
        for (relation, named_by, declared), count in counts
    )


def list_replacements(plan: Plan) -> tuple[Replacement, ...]:
    """Every reference of a Dockerfile that does not mean what it says, by its text."""
    users: defaultdict[tuple[str, str, NamedBy, str], list[str]] = defaultdict(list)
    versions: dict[str, tuple[ChosenVersion, ...]] = {}
    for node in plan.components:
        for each in node.dependencies:
            if _is_replaced(each):
                users[each.reference, each.node, each.named_by, each.rule].append(node.name)
                versions[each.reference] = each.versions
    return tuple(
        Replacement(
            reference=reference,
            means=means,
            named_by=named_by,
            rule=rule,
            versions=versions[reference] if named_by is NamedBy.BUILDER else (),
            images=tuple(dict.fromkeys(images)),
        )
        for (reference, means, named_by, rule), images in sorted(
            users.items(), key=lambda item: (item[0][0], item[0][1])
        )
    )


def _is_replaced(dependency: Dependency) -> bool:
    is_read = dependency.relation not in (Relation.FILES, Relation.INPUT)
    return is_read and dependency.reference != dependency.node
