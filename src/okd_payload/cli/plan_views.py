# SPDX-License-Identifier: Apache-2.0
"""What ``okd-payload plan --show`` prints beside the waves: edges, replacements, builders."""

from __future__ import annotations

from collections.abc import Callable

import click

from okd_payload.build.edges import EdgeCount, Replacement, count_edges, list_edges
from okd_payload.build.plan import NamedBy, Plan
from okd_payload.cli.issues import count_of
from okd_payload.cli.output import print_table

_FEW = 3


def print_edges(plan: Plan) -> None:
    """Every edge with its reason, and how many there are of each kind."""
    edges, counts = list_edges(plan), count_edges(plan)
    click.echo(f"{plan.stream}: {count_of(len(edges), 'edge')} of {len(counts)} kinds\n")
    print_table(("edges", "relation", "named by", "declared"), map(_count_row, counts))
    click.echo()
    print_table(
        ("image", "needs", "relation", "named by", "declared", "reference"),
        [
            (
                edge.image,
                edge.needs,
                edge.relation.value,
                edge.named_by.value,
                _yes(edge.declared),
                edge.reference,
            )
            for edge in edges
        ],
    )


def print_replacements(plan: Plan, replacements: tuple[Replacement, ...]) -> None:
    """Every reference that means something else than it says."""
    approximate = sum(each.is_approximate for each in replacements)
    click.echo(
        f"{plan.stream}: {count_of(len(replacements), 'reference')} replaced, "
        f"{approximate} by a builder of another version\n"
    )
    print_table(
        ("reference", "means", "named by", "because", "in"),
        [
            (each.reference, each.means, each.named_by.value, each.reason, _users(each))
            for each in replacements
        ],
    )


def print_builders(plan: Plan, replacements: tuple[Replacement, ...]) -> None:
    """The builders that are made for this plan, and what each stands in for."""
    chosen = [each for each in replacements if each.named_by is NamedBy.BUILDER]
    builders = sorted({each.means for each in chosen})
    click.echo(
        f"{plan.stream}: {count_of(len(builders), 'builder')} for "
        f"{count_of(len(chosen), 'reference')}\n"
    )
    print_table(
        ("builder", "reference", "asked and given", "in"),
        sorted((each.means, each.reference, each.reason, _users(each)) for each in chosen),
    )


def _count_row(count: EdgeCount) -> tuple[str, ...]:
    return (
        str(count.count),
        count.relation.value,
        count.named_by.value,
        _yes(count.declared),
    )


def _users(replacement: Replacement) -> str:
    images = replacement.images
    shown = ", ".join(images[:_FEW])
    return shown if len(images) <= _FEW else f"{shown} and {len(images) - _FEW} more"


def _yes(value: bool) -> str:  # noqa: FBT001 - it has no other argument
    return "yes" if value else "no"


PlanView = Callable[[Plan, tuple[Replacement, ...]], None]

VIEWS: dict[str, PlanView] = {
    "edges": lambda plan, _: print_edges(plan),
    "replaced": print_replacements,
    "builders": print_builders,
}
"""By the word that asks for it."""
