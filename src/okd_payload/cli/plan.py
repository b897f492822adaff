# SPDX-License-Identifier: Apache-2.0
"""``okd-payload plan``: what a build would do, and why, without doing it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import click
import msgspec

from okd_payload.build.edges import (
    Edge,
    EdgeCount,
    Replacement,
    count_edges,
    list_edges,
    list_replacements,
)
from okd_payload.build.graph import critical_path, waves
from okd_payload.build.plan import ComponentNode, Dependency, Plan, class_of
from okd_payload.build.preview import Decision, Intent, preview
from okd_payload.build.records import read_durations, read_runs
from okd_payload.cli.issues import count_of, print_issues, stop_on_issues
from okd_payload.cli.loop import run_async
from okd_payload.cli.output import describe_class, output_option, print_document, print_table
from okd_payload.cli.plan_views import VIEWS
from okd_payload.cli.progress import show_progress
from okd_payload.cli.registry_options import registry_options, registry_settings
from okd_payload.cli.services import open_services
from okd_payload.cli.session import make_maker, start_session
from okd_payload.cli.settings import Settings
from okd_payload.cli.stream_options import (
    StreamOptions,
    change_options,
    repository_option,
    stream_options,
    take_stream_options,
)
from okd_payload.errors import BuildError
from okd_payload.issues import Issue
from okd_payload.oci.digest import Digest
from okd_payload.progress import ignore_progress

if TYPE_CHECKING:
    from okd_payload.oci.registry import RegistrySettings


_IMAGES = "images"


class PlannedImage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One image of the plan, as ``-o json`` prints it."""

    name: str
    wave: int
    intent: Intent
    reason: str
    hint: str
    digest: Digest | None
    commit: str
    sharing: str = ""
    """The class: shared with OCP, or specific; empty when nobody has said."""
    sharing_reason: str = ""
    dependencies: tuple[Dependency, ...]


class PrintedPlan(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The plan, as ``-o json`` prints it."""

    stream: str
    images: tuple[PlannedImage, ...]
    waves: tuple[tuple[str, ...], ...]
    critical_path: tuple[str, ...]
    edges: tuple[Edge, ...]
    edge_counts: tuple[EdgeCount, ...]
    replacements: tuple[Replacement, ...]
    issues: tuple[Issue, ...]


@click.command()
@stream_options
@repository_option
@change_options
@registry_options
@click.option(
    "--show",
    type=click.Choice((_IMAGES, *VIEWS)),
    default=_IMAGES,
    help="Print this of the plan: its images, edges, replaced references or builders.",
)
@output_option("json", "dot", "mermaid")
@click.pass_obj
def plan(settings: Settings, /, show: str, output: str | None, **options: Any) -> None:
    """Show what building STREAM would do: waves, what is built and why, the critical path.

    STREAM is a stream file or its folder; without it, stream.yaml of the current folder.
    """
    registries = registry_settings(options)
    stream = take_stream_options(options)
    printed = run_async(_plan(settings, stream, registries, show=show, output=output))
    print_issues(printed.issues, settings)
    stop_on_issues(printed.issues, doing="the first build")
    failing = [image for image in printed.images if image.intent is Intent.FAIL]
    if failing:
        hints = dict.fromkeys(image.hint for image in failing if image.hint)
        raise BuildError(
            f"{count_of(len(failing), 'image')} cannot be made: "
            f"{', '.join(image.name for image in failing)}",
            hint="\n".join(hints),
        )


async def _plan(
    settings: Settings,
    options: StreamOptions,
    registries: RegistrySettings,
    *,
    show: str,
    output: str | None,
) -> PrintedPlan:
    async with open_services(settings, ignore_progress, registries=registries) as services:
        with show_progress(settings) as services.progress:
            session = await start_session(services, options)
            blocked = any(issue.blocks for issue in session.plan.issues)
            maker = make_maker(session, services)
            decisions = {} if blocked else await preview(session.plan, maker)
        runs = read_runs(services.locations.runs(session.plan.stream))
    printed = _describe(session.plan, decisions, read_durations(runs))
    if output == "json":
        print_document(printed, output)
    elif output in ("dot", "mermaid"):
        from okd_payload.build.drawing import draw_dot, draw_mermaid

        draw = draw_dot if output == "dot" else draw_mermaid
        click.echo(draw(session.plan.graph), nl=False)
    elif show in VIEWS:
        VIEWS[show](session.plan, printed.replacements)
    elif not blocked:
        _print_text(printed)
    return printed


def _describe(
    plan: Plan, decisions: dict[str, Decision], durations: dict[str, float]
) -> PrintedPlan:
    levels = waves(plan.graph)
    return PrintedPlan(
        stream=plan.stream,
        images=tuple(
            _describe_image(plan, decisions[name], wave)
            for wave, names in enumerate(levels, 1)
            for name in names
            if name in decisions
        ),
        waves=levels,
        critical_path=critical_path(plan.graph, durations),
        edges=list_edges(plan),
        edge_counts=count_edges(plan),
        replacements=list_replacements(plan),
        issues=plan.issues,
    )


def _describe_image(plan: Plan, decision: Decision, wave: int) -> PlannedImage:
    node = plan.nodes[decision.node]
    component = node if isinstance(node, ComponentNode) else None
    sharing, known = class_of(node)
    return PlannedImage(
        name=decision.node,
        wave=wave,
        intent=decision.intent,
        reason=decision.reason,
        hint=decision.hint,
        digest=decision.image.digest if decision.image else None,
        commit=component.commit.id if component and component.commit else "",
        sharing=sharing.value if sharing else "",
        sharing_reason=known,
        dependencies=component.dependencies if component else (),
    )


def _print_text(printed: PrintedPlan) -> None:
    numbers = Counter(image.intent for image in printed.images)
    counts = [
        f"{numbers[intent]} to {intent.value}"
        for intent in Intent
        if numbers[intent] or intent not in (Intent.FAIL, Intent.SKIP)
    ]
    sizes = f"{count_of(len(printed.images), 'image')} in {count_of(len(printed.waves), 'wave')}"
    click.echo(f"{printed.stream}: {sizes}, {', '.join(counts)}")
    click.echo(f"critical path: {' -> '.join(printed.critical_path)}")
    approximate = sum(each.is_approximate for each in printed.replacements)
    if approximate:
        click.echo(
            f"builders of another version stand in for {count_of(approximate, 'reference')}: "
            "see --show builders"
        )
    click.echo()
    rows = [
        (str(image.wave), image.name, image.intent.value, _class_of(image), image.reason)
        for image in printed.images
    ]
    columns = ("wave", "image", "what", "class", "why")
    if any(image.sharing or image.sharing_reason for image in printed.images):
        print_table(columns, rows)
    else:
        print_table((*columns[:3], *columns[4:]), [(*row[:3], *row[4:]) for row in rows])


def _class_of(image: PlannedImage) -> str:
    return describe_class(image.sharing, image.sharing_reason)
