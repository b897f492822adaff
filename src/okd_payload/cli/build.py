# SPDX-License-Identifier: Apache-2.0
"""``okd-payload build``: from sources to a checked release payload."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click
import msgspec

from okd_payload.build.graph import descendants, waves
from okd_payload.build.images import MadeImage
from okd_payload.build.job import (
    JobOptions,
    build_images,
    check_imports,
    make_report,
)
from okd_payload.build.records import ComponentRecord
from okd_payload.build.releasing import ReleaseMaker, tagged_images
from okd_payload.build.report import ReleaseResult, write_report
from okd_payload.catalog.stream import Stream
from okd_payload.cli.issues import print_issues, stop_on_issues
from okd_payload.cli.loop import run_async
from okd_payload.cli.output import output_option, print_document
from okd_payload.cli.progress import show_progress
from okd_payload.cli.services import Services, open_services
from okd_payload.cli.session import Session, make_maker, read_catalog, start_session
from okd_payload.cli.settings import Settings
from okd_payload.cli.stream_options import StreamOptions, stream_options
from okd_payload.engines.buildah import BuildahSettings, Network
from okd_payload.issues import Issue, apply_permits
from okd_payload.oci.layout import LayoutRepository
from okd_payload.oci.location import LayoutLocation, parse_location
from okd_payload.release.inputs import ReleaseInput
from okd_payload.release.load import Release, load_release


class PrintedBuild(msgspec.Struct, frozen=True, kw_only=True):
    """A build, as ``-o json`` prints it."""

    stream: str
    run: str
    release: ReleaseResult | None
    components: tuple[ComponentRecord, ...]
    issues: tuple[Issue, ...]


class BuildOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options of ``build`` that are not about the stream's inputs."""

    jobs: int
    fail_fast: bool
    from_release: str
    with_dependants: bool
    network: str
    report: Path | None


@click.command()
@stream_options
@click.option(
    "--from-release",
    default="",
    metavar="RELEASE",
    help="Build only what --component names, on top of this release.",
)
@click.option(
    "--with-dependants", is_flag=True, help="With --from-release: also what builds on it."
)
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(min=1),
    default=lambda: os.cpu_count() or 1,
    show_default="number of processors",
    help="Builds at a time.",
)
@click.option("--fail-fast", is_flag=True, help="Stop at the first failure.")
@click.option(
    "--network",
    type=click.Choice([network.value for network in Network]),
    default=Network.HOST.value,
    show_default=True,
    help="What builds can reach.",
)
@click.option(
    "--report",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write report.json and report.html there.",
)
@output_option("json", "yaml")
@click.pass_obj
def build(settings: Settings, /, output: str | None, **options: Any) -> int:
    """Build every component of STREAM from source and make a release of them.

    STREAM is a stream file or its folder; without it, stream.yaml of the current folder. Only
    what changed is built. With --from-release, only the components that --component names are
    built, and every other image of that release is taken over.
    """
    names = BuildOptions.__struct_fields__
    chosen = BuildOptions(**{name: options.pop(name) for name in names})
    printed = run_async(_build(settings, StreamOptions(**options), chosen))
    if output:
        print_document(printed, output)
    elif printed.release is not None:
        click.echo(f"{printed.release.name} {printed.release.digest}")
    return 0 if printed.release is not None else 1


async def _build(settings: Settings, options: StreamOptions, chosen: BuildOptions) -> PrintedBuild:
    catalog = read_catalog(options)
    with show_progress(settings) as progress:
        async with open_services(settings, progress) as services:
            base = await _load_base(chosen.from_release, services, catalog.stream)
            session = await start_session(
                services,
                options,
                catalog=catalog,
                overridden_only=base is not None,
                with_dependants=chosen.with_dependants,
            )
    print_issues(session.plan.issues, settings)
    stop_on_issues(session.plan.issues, doing="the first build")
    places = {
        name: number for number, wave in enumerate(waves(session.plan.graph), 1) for name in wave
    }
    with show_progress(settings, total=len(places), waves=places) as progress:
        async with open_services(settings, progress) as services:
            printed, found = await _carry_out(session, services, chosen, base)
    print_issues(found, settings)
    return printed


async def _carry_out(
    session: Session, services: Services, chosen: BuildOptions, base: _Base | None
) -> tuple[PrintedBuild, list[Issue]]:
    """Build, release and report; what is printed, and the issues found after planning."""
    stream, locations = session.catalog.stream, services.locations
    outcome = await build_images(
        session.frozen,
        maker=make_maker(
            session,
            services,
            services.progress,
            settings=BuildahSettings(network=Network(chosen.network)),
        ),
        runs=locations.runs(stream.name),
        clock=services.clock,
        progress=services.progress,
        options=JobOptions(jobs=chosen.jobs, fail_fast=chosen.fail_fast),
    )
    found = apply_permits(check_imports(session.given, outcome), stream.permits)
    release = None
    if outcome.is_complete and not any(issue.blocks for issue in found):
        maker = ReleaseMaker(
            stream,
            content=session.images.repository,
            releases=LayoutRepository(locations.releases(stream.name)),
            open_repository=services.open_repository,
        )
        made = tagged_images(session.plan, outcome.images)
        given = _release_input(maker, made, session, base)
        time = max(image.timestamp for image in made.values())
        done = await maker.make(given, time=time)
        release, found = done.result, [*found, *done.issues]
    printed = PrintedBuild(
        stream=stream.name,
        run=outcome.record.id,
        release=release,
        components=outcome.record.components,
        issues=(*session.plan.issues, *found),
    )
    if chosen.report is not None:
        report = make_report(
            outcome,
            session.frozen,
            stream_folder=Path(session.catalog.path).parent,
            release=release,
            issues=printed.issues,
            reproduce=_how_to_repeat(session, chosen),
        )
        write_report(report, chosen.report)
    return printed, found


class _Base(msgspec.Struct, frozen=True):
    """The release to build on top of, and the pull spec it goes by."""

    release: Release
    pull_spec: str


async def _load_base(text: str, services: Services, stream: Stream) -> _Base | None:
    if not text:
        return None
    location = parse_location(text)
    repository = await services.open_location(location)
    release = await load_release(repository, location.selector)
    place = location.repository
    if isinstance(location, LayoutLocation):
        place = stream.release_repository
    return _Base(release, f"{place}@{release.digest}")


def _release_input(
    maker: ReleaseMaker, made: dict[str, MadeImage], session: Session, base: _Base | None
) -> ReleaseInput:
    if base is None:
        return maker.input_of(made)
    wanted = {session.catalog.component(name).tag for name in session.overrides}
    changed = {
        tag: image
        for tag, image in made.items()
        if tag in wanted | descendants(session.plan.graph, wanted)
    }
    return maker.input_over(base.release, changed, origin=base.pull_spec)


def _how_to_repeat(session: Session, chosen: BuildOptions) -> tuple[str, ...]:
    command = f"okd-payload build {Path(session.catalog.path).name} --lock stream.lock"
    if chosen.from_release:
        command += f" --from-release {chosen.from_release}"
    command += "".join(f" --component {name}={it}" for name, it in session.overrides.items())
    return (command,)
