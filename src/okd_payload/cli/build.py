# SPDX-License-Identifier: Apache-2.0
"""``okd-payload build``: from sources to a checked release payload."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from okd_payload.build.graph import waves
from okd_payload.build.images import MadeImage
from okd_payload.build.impact.report import (
    Impact,
    describe_plan,
    describe_run,
    with_manifests,
)
from okd_payload.build.job import (
    LOCK_FILE,
    BuildOutcome,
    JobOptions,
    make_report,
    release_images,
)
from okd_payload.build.records import Action, ComponentRecord
from okd_payload.build.releasing import ReleaseMaker, ReleaseOutcome
from okd_payload.build.report import ReleaseResult, write_report
from okd_payload.cli.build_options import BuildOptions, build_options, check_build_options
from okd_payload.cli.engine_options import take_engine_options
from okd_payload.cli.engines.carrying_out import Undertaking, carry_out, watch_sources
from okd_payload.cli.engines.detaching import Detached, detach
from okd_payload.cli.impact import print_impact
from okd_payload.cli.issues import count_of, find_obstacle, print_issues
from okd_payload.cli.loop import run_async
from okd_payload.cli.output import print_document
from okd_payload.cli.progress import show_progress
from okd_payload.cli.registry_options import registry_settings
from okd_payload.cli.services import Services, open_services
from okd_payload.cli.session import Session, start_session
from okd_payload.cli.settings import Settings
from okd_payload.cli.stream_options import StreamOptions, take_stream_options
from okd_payload.engines.buildah import Network
from okd_payload.errors import BuildError, OkdPayloadError, ReleaseError
from okd_payload.issues import Issue
from okd_payload.progress import ignore_progress
from okd_payload.release.load import load_release

if TYPE_CHECKING:
    from okd_payload.build.impact.prepare import Prepared
    from okd_payload.build.snapshot.sources import RecordingSources
    from okd_payload.oci.registry import RegistrySettings

_MOST_TOLD = 10


class PrintedBuild(msgspec.Struct, frozen=True, kw_only=True):
    """A build, as ``-o json`` prints it."""

    stream: str
    run: str = ""
    """Empty when nothing was built: issues stood in the way, or it was a dry run."""
    release: ReleaseResult | None = None
    components: tuple[ComponentRecord, ...] = ()
    issues: tuple[Issue, ...] = ()
    impact: Impact | None = None
    """What a change reached; None when no change was asked for."""
    detached: Detached | None = None
    """The run on the cluster that goes on by itself; None when this command built."""


@click.command()
@build_options
@click.pass_obj
def build(settings: Settings, /, output: str | None, **options: Any) -> None:
    """Build every component of STREAM from source and make a release of them.

    STREAM is a stream file or its folder; without it, stream.yaml of the current folder. Only
    what changed is built.

    With --from-release, only the components that --component names are built, and every other
    image of that release is taken over. That needs no stream file: Dockerfiles are found by
    their usual names, and images of OpenShift's CI mean those of the release.
    """
    registries = registry_settings(options)
    stream = take_stream_options(options)
    engine = take_engine_options(options)
    chosen = BuildOptions(engine=engine, **options)
    check_build_options(chosen, stream)
    printed, failure = run_async(_build(settings, stream, chosen, registries))
    if output:
        print_document(printed, output)
    else:
        if printed.release is not None:
            click.echo(f"{printed.release.name} {printed.release.digest}")
        elif failure is None:  # a stream that makes images only, or a dry run
            for item in printed.components:
                click.echo(f"{item.name} {item.digest}")
        if printed.impact is not None:
            print_impact(printed.impact)
        if printed.detached is not None:
            click.echo(printed.detached.run)
    if failure is not None:
        raise failure


async def _build(
    settings: Settings, options: StreamOptions, chosen: BuildOptions, registries: RegistrySettings
) -> tuple[PrintedBuild, OkdPayloadError | None]:
    """What is printed, and what made the build end without a release."""
    undertaking = Undertaking(
        stream=options,
        engine=chosen.engine,
        registries=registries,
        job=JobOptions(jobs=chosen.jobs, fail_fast=chosen.fail_fast),
    )
    async with open_services(settings, ignore_progress, registries=registries) as services:
        sources = watch_sources(services, chosen.engine)
        with show_progress(settings) as services.progress:
            session = await start_session(services, options)
        issues = session.plan.issues
        print_issues(issues, settings)
        obstacle = find_obstacle(issues, doing="the first build")
        if obstacle is not None:
            impact = describe_plan(session.impact) if session.impact else None
            return PrintedBuild(stream=session.plan.stream, issues=issues, impact=impact), obstacle
        if chosen.dry_run and session.impact:
            return _show_plan(session, session.impact)
        if chosen.detach:
            return await _detach(session, services, undertaking, chosen, sources=sources), None
        places = {
            name: number
            for number, wave in enumerate(waves(session.plan.graph), 1)
            for name in wave
        }
        with show_progress(settings, total=len(places), waves=places) as services.progress:
            outcome = await carry_out(session, services, undertaking, sources=sources)
            released, failure = await _release(session, outcome, keep_going=chosen.keep_going)
            impact, broken = await _describe_impact(session, outcome, released)
    print_issues(released.issues, settings)
    printed = PrintedBuild(
        stream=session.plan.stream,
        run=outcome.record.id,
        release=released.result,
        components=outcome.record.components,
        issues=(*issues, *released.issues),
        impact=impact,
    )
    if chosen.report is not None:
        report = make_report(
            outcome,
            session.frozen,
            stream_folder=session.folder,
            release=released.result,
            issues=printed.issues,
            reproduce=_how_to_repeat(session, options, chosen),
            impact=impact,
        )
        write_report(report, chosen.report)
    return printed, failure or broken


async def _detach(
    session: Session,
    services: Services,
    undertaking: Undertaking,
    chosen: BuildOptions,
    *,
    sources: RecordingSources | None,
) -> PrintedBuild:
    detached = await detach(
        session,
        services,
        undertaking,
        sources=sources,
        account=chosen.coordinator_account,
        keep_going=chosen.keep_going,
    )
    stream = session.plan.stream
    return PrintedBuild(stream=stream, issues=session.plan.issues, detached=detached)


def _show_plan(session: Session, impact: Prepared) -> tuple[PrintedBuild, OkdPayloadError | None]:
    described = describe_plan(impact)
    printed = PrintedBuild(stream=session.plan.stream, issues=session.plan.issues, impact=described)
    return printed, _explain_impact(described)


async def _describe_impact(
    session: Session, outcome: BuildOutcome, released: ReleaseOutcome
) -> tuple[Impact | None, OkdPayloadError | None]:
    """What the change came to, and why that is not all that was asked for."""
    if session.impact is None:
        return None, None
    impact = describe_run(session.impact, outcome.record, outcome.folder)
    if released.result is not None and session.base is not None:
        after = await load_release(session.releases, released.result.name)
        impact = with_manifests(impact, session.base.release, after)
    return impact, _explain_impact(impact)


def _explain_impact(impact: Impact) -> OkdPayloadError | None:
    if not impact.broken:
        return None
    told = [f"  {item.name}: {item.error}" for item in impact.broken[:_MOST_TOLD]]
    more = len(impact.broken) - len(told)
    lines = [
        f"{count_of(len(impact.broken), 'component')} cannot be had with the change",
        *told,
        *([f"  and {more} more"] if more else []),
    ]
    hints = dict.fromkeys(item.hint for item in impact.broken[:_MOST_TOLD] if item.hint)
    return BuildError("\n".join(lines), hint="\n".join(hints))


async def _release(
    session: Session, outcome: BuildOutcome, *, keep_going: bool
) -> tuple[ReleaseOutcome, OkdPayloadError | None]:
    """The release of what was built, and why there is none."""
    stream, base = session.catalog.stream, session.base
    if stream.release.skip and base is None:
        failed = None if outcome.is_complete else _explain(outcome.record.components, ())
        return ReleaseOutcome(issues=()), failed
    repository_of = session.places.repository_of
    maker = ReleaseMaker(stream, releases=session.releases, repository_of=repository_of)
    try:
        released = await release_images(
            outcome,
            frozen=session.frozen,
            maker=maker,
            given=session.given,
            base=base.to_input(stream) if base else None,
            keep_going=keep_going,
            former=await _read_former(session, outcome) if keep_going and not base else None,
        )
    except OkdPayloadError as error:
        return ReleaseOutcome(issues=()), error
    if released.result is not None:
        failed = None if outcome.is_complete else _explain(outcome.record.components, ())
        return released, failed
    return released, _explain(outcome.record.components, released.issues)


async def _read_former(session: Session, outcome: BuildOutcome) -> dict[str, MadeImage]:
    """The images that the tags of the stream have now, where the run has made none."""
    tags = [tag for tag in session.catalog.tags if tag not in outcome.images]
    former = {tag: await session.images.read_tag(tag) for tag in tags}
    return {tag: image for tag, image in former.items() if image is not None}


def _explain(components: Sequence[ComponentRecord], issues: Sequence[Issue]) -> OkdPayloadError:
    """Why no release was made."""
    failed = [item for item in components if item.action is Action.FAILED]
    skipped = sum(item.action is Action.SKIPPED for item in components)
    if not failed and not skipped:
        errors = count_of(sum(issue.blocks for issue in issues), "error")
        return ReleaseError(
            f"no release was made: {errors}",
            hint="mend them, or permit a code with its reason under `permits` in the stream file",
        )
    told = [f"  {item.name}: {item.reason.partition(chr(10))[0]}" for item in failed[:_MOST_TOLD]]
    lines = [
        f"{len(failed)} of {count_of(len(components), 'image')} failed"
        + (f", {skipped} {'was' if skipped == 1 else 'were'} skipped" if skipped else ""),
        *told,
        *([f"  and {len(failed) - _MOST_TOLD} more"] if len(failed) > _MOST_TOLD else []),
    ]
    hints = dict.fromkeys(item.hint for item in failed[:_MOST_TOLD] if item.hint)
    return BuildError("\n".join(lines), hint="\n".join(hints))


def _how_to_repeat(
    session: Session, options: StreamOptions, chosen: BuildOptions
) -> tuple[str, ...]:
    """The command that gives the same again, beside the lock of the report."""
    words = ["okd-payload", "build", *(Path(path).name for path in [session.catalog.path] if path)]
    words += ["--lock", LOCK_FILE, *options.to_words()]
    if chosen.engine.network != Network.HOST.value:
        words += ["--network", chosen.engine.network]
    return (shlex.join(words),)
