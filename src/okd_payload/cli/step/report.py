# SPDX-License-Identifier: Apache-2.0
"""``okd-payload step report``: what a run of many pods came to."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from okd_payload.build.collecting import collect_outcome
from okd_payload.build.images import newest
from okd_payload.build.job import BuildOutcome, make_report
from okd_payload.build.one_image import find_images
from okd_payload.build.places import Places
from okd_payload.build.records import Action
from okd_payload.build.releasing import ReleaseMaker, tagged_images
from okd_payload.build.report import PayloadImage, ReleaseResult, Report, write_report
from okd_payload.cli.loop import run_async
from okd_payload.cli.progress import show_progress
from okd_payload.cli.registry_options import registry_options, registry_settings
from okd_payload.cli.services import Services, open_services
from okd_payload.cli.session import Session, make_maker
from okd_payload.cli.settings import Settings
from okd_payload.cli.step.opening import StepOptions, open_step, step_options, take_step_options
from okd_payload.errors import InputError, NotFound
from okd_payload.oci.location import parse_location
from okd_payload.release.inputs import pull_spec_of
from okd_payload.release.load import load_release

if TYPE_CHECKING:
    from okd_payload.oci.registry import RegistrySettings


class _Run(msgspec.Struct, frozen=True, kw_only=True):
    """What whoever ran the pods says of the run."""

    name: str
    statuses: dict[str, str]
    releases: str


@click.command()
@click.argument("statuses", nargs=-1, metavar="[NAME=STATUS]...")
@step_options
@click.option("--run", "name", default="run", metavar="NAME", help="Name of the run.")
@click.option(
    "--releases",
    default="",
    metavar="REPOSITORY",
    help="Where its release is; by default where the stream publishes it.",
)
@click.option(
    "--to",
    "target",
    default="",
    metavar="DIR",
    help="Write report.json and report.html there.",
)
@registry_options
@click.pass_obj
def report(settings: Settings, /, target: str, **options: Any) -> None:
    """Tell what became of every image of a snapshot, and which release there is.

    What is built is known from the repository, whoever built it. Of the rest the engine says how
    the task of NAME ended: Succeeded, Failed, or None. The exit code says nothing about the run.
    """
    registries = registry_settings(options)
    step = take_step_options(options)
    run = _Run(
        name=options["name"],
        statuses=_parse_statuses(options["statuses"]),
        releases=options["releases"],
    )
    told = run_async(_report(settings, step, run, registries))
    if target:
        write_report(told, Path(target))
    for item in told.components:
        if item.action in (Action.FAILED, Action.SKIPPED):
            click.echo(f"{item.action.value} {item.name}: {item.reason.partition(chr(10))[0]}")
    counts = Counter(item.action for item in told.components)
    click.echo(", ".join(f"{counts[action]} {action.value}" for action in Action if counts[action]))
    click.echo(
        f"{told.release.name} {told.release.reference}" if told.release else "there is no release"
    )


def _parse_statuses(texts: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for text in filter(None, texts):
        name, separator, status = text.rpartition("=")
        if not separator:
            raise InputError(f"{text!r} is no status of a component", hint="write NAME=Succeeded")
        found[name] = status
    return found


async def _report(
    settings: Settings, options: StepOptions, run: _Run, registries: RegistrySettings
) -> Report:
    with show_progress(settings) as progress:
        async with open_services(settings, progress, registries=registries) as services:
            session = await open_step(services, options)
            found = await find_images(session.plan, make_maker(session, services))
            outcome = collect_outcome(
                session.frozen,
                found,
                run=run.name,
                moment=services.clock.now(),
                statuses=run.statuses,
            )
            return make_report(
                outcome,
                session.frozen,
                stream_folder=session.folder,
                release=await _find_release(session, services, outcome, run),
                issues=session.plan.issues,
                reproduce=(f"okd-payload build --snapshot {options.snapshot}",),
            )


async def _find_release(
    session: Session, services: Services, outcome: BuildOutcome, run: _Run
) -> ReleaseResult | None:
    """The release that these images make, if somebody made it."""
    stream = session.catalog.stream
    if not outcome.is_complete or session.base is not None or stream.release.skip:
        return None
    target = run.releases or stream.publish.releases
    if not target:
        return None
    releases = await services.open_target(parse_location(target))
    repository_of = Places((releases,), services.open_repository).repository_of
    maker = ReleaseMaker(stream, releases=releases, repository_of=repository_of)
    made = tagged_images(session.plan, outcome.images)
    try:
        name = maker.name_of(maker.input_of(made), time=newest(made.values()))
        release = await load_release(releases, name)
    except NotFound:
        return None
    if release.digest is None:
        return None
    return ReleaseResult(
        name=name,
        digest=release.digest,
        reference=f"{releases.name}@{release.digest}",
        images=tuple(PayloadImage(tag.name, pull_spec_of(tag)) for tag in release.tags),
    )
