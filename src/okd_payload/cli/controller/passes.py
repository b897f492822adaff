# SPDX-License-Identifier: Apache-2.0
"""``okd-payload controller preview|sync``: one look at the streams, from the command line.

Both work on the records themselves, without a server. ``sync`` takes the lease for as long as it
runs, so it does nothing where a server acts.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from okd_payload.cli.cluster_options import (
    ClusterOptions,
    cluster_options,
    connect,
    take_cluster_options,
)
from okd_payload.cli.database_option import database_option
from okd_payload.cli.loop import run_async
from okd_payload.cli.option_groups import option_group
from okd_payload.cli.output import output_option, print_document, print_table
from okd_payload.cli.registry_options import registry_options, registry_settings
from okd_payload.cli.services import open_services
from okd_payload.cli.serving.payload_jobs import job_options, take_job_pods
from okd_payload.cli.settings import Settings
from okd_payload.errors import InputError, RecordsError, UnknownName

if TYPE_CHECKING:
    from okd_payload.cli.serving.assembly import Controller, ControllerOptions
    from okd_payload.cli.serving.previewing import PlannedPass, StepCollector
    from okd_payload.oci.registry import RegistrySettings

_MOST_PASSES = 50
"""Passes of one ``sync``: what is not done then is under way."""
_QUIET_PASSES = 2
"""Passes without anything new after which only waiting is left: one notes how runs ended."""


class PassChoice(msgspec.Struct, frozen=True, kw_only=True):
    """Which controller, and which streams of it."""

    options: ControllerOptions
    registries: RegistrySettings
    cluster: ClusterOptions | None
    streams: tuple[str, ...]


_pass_options = option_group(
    click.argument("streams", metavar="[STREAM]...", nargs=-1),
    click.option(
        "--streams",
        "folder",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        required=True,
        metavar="DIR",
        help="The folder with the release streams.",
    ),
    database_option,
    click.option(
        "--cluster",
        is_flag=True,
        help="Use the cluster of KUBECONFIG or of this pod's account.",
    ),
    cluster_options,
    job_options,
    registry_options,
    output_option("json", "yaml"),
)
"""The options of both commands; see ``_take_choice``."""


@click.command()
@_pass_options
@click.pass_obj
def preview(settings: Settings, /, output: str | None, **options: Any) -> None:
    """Print every action that a pass over the streams would take, and take none.

    All streams of the folder, or those that are named.
    """
    choice = _take_choice(options)
    _print(run_async(_preview(settings, choice)), output)


@click.command()
@_pass_options
@click.pass_obj
def sync(settings: Settings, /, output: str | None, **options: Any) -> None:
    """Pass over the streams until only waiting is left, and print every action taken.

    All streams of the folder, or those that are named. Where a server acts on the same records,
    nothing is done and the command fails.
    """
    choice = _take_choice(options)
    _print(run_async(_sync(settings, choice)), output)


def _take_choice(options: dict[str, Any]) -> PassChoice:
    from okd_payload.cli.serving.assembly import ControllerOptions

    cluster = take_cluster_options(options)
    wanted = options.pop("cluster") or bool(cluster.kubeconfig or cluster.context)
    registries = registry_settings(options)
    return PassChoice(
        registries=registries,
        cluster=cluster if wanted else None,
        options=ControllerOptions(
            streams=options.pop("folder"),
            database=options.pop("database"),
            pods=take_job_pods(options, plain_http=registries.plain_http_hosts),
        ),
        streams=options.pop("streams"),
    )


class _Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A controller for one command."""

    controller: Controller
    collector: StepCollector
    names: Sequence[str]
    """The chosen streams."""
    broken: Sequence[str]
    """The files of streams that have mistakes; what they say is not acted on."""


class _Passes(msgspec.Struct, frozen=True):
    """What came of the passes."""

    passes: Sequence[PlannedPass]
    broken: Sequence[str]


@contextlib.asynccontextmanager
async def _open(
    settings: Settings, choice: PassChoice, *, rehearses: bool = False
) -> AsyncIterator[_Opened]:
    """The controller, which with ``rehearses`` does nothing outside. Raises UnknownName."""
    from okd_payload.cli.serving.assembly import make_controller, open_surroundings
    from okd_payload.cli.serving.logs import log_progress
    from okd_payload.cli.serving.previewing import StepCollector
    from okd_payload.cli.serving.rehearsing import rehearse

    collector = StepCollector(log_progress)
    async with contextlib.AsyncExitStack() as stack:
        services = await stack.enter_async_context(
            open_services(settings, collector, registries=choice.registries)
        )
        cluster = (
            await stack.enter_async_context(connect(choice.cluster)) if choice.cluster else None
        )
        surroundings = await stack.enter_async_context(
            open_surroundings(choice.options, services, cluster, copies=rehearses)
        )
        known = surroundings.configurations()
        for name in choice.streams:
            if name not in known:
                raise UnknownName("release stream", name, known=known)
        if rehearses:
            surroundings, stand_in = rehearse(surroundings)
            made = make_controller(surroundings, services, choice.options, stand_in=stand_in)
        else:
            made = make_controller(surroundings, services, choice.options)
        stack.push_async_callback(made.hands.close)
        yield _Opened(
            controller=made,
            collector=collector,
            names=choice.streams or sorted(known),
            broken=sorted(
                {
                    each.file or each.component
                    for each in surroundings.configuration_issues()
                    if each.blocks
                }
            ),
        )


async def _preview(settings: Settings, choice: PassChoice) -> _Passes:
    from okd_payload.cli.serving.previewing import pass_once

    async with _open(settings, choice, rehearses=True) as opened:
        service = opened.controller.service
        await service.leadership.renew()
        planned = [await pass_once(service, opened.collector, name) for name in opened.names]
        return _Passes(planned, opened.broken)


async def _sync(settings: Settings, choice: PassChoice) -> _Passes:
    async with _open(settings, choice) as opened:
        leadership = opened.controller.service.leadership
        await leadership.renew()
        if not leadership.is_acting:
            raise RecordsError(
                "another instance acts on these records",
                hint="it does by itself what this command would do; `preview` shows what that is",
            )
        renewing = asyncio.create_task(leadership.run())
        try:
            done = [await _sync_one(opened, name) for name in opened.names]
            return _Passes(done, opened.broken)
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)


async def _sync_one(opened: _Opened, name: str) -> PlannedPass:
    """Pass until passes do nothing new, and nothing that was begun here is under way."""
    from okd_payload.cli.serving.previewing import PlannedPass, join_passes, pass_once

    controller, done = opened.controller, PlannedPass(stream=name)
    quiet = 0
    for _ in range(_MOST_PASSES):
        planned = await pass_once(controller.service, opened.collector, name)
        before, done = done, join_passes(done, planned)
        has_waited = await controller.hands.wait()
        quiet = 0 if has_waited or done.steps != before.steps else quiet + 1
        if quiet == _QUIET_PASSES:
            break
    return done


def _print(ended: _Passes, output: str | None) -> None:
    """Print the passes. Raises InputError where files of streams are broken."""
    if output:
        print_document(ended.passes, output)
    else:
        _print_rows(ended.passes)
    if ended.broken:
        raise InputError(
            f"mistakes are in {', '.join(ended.broken)}",
            hint="mend them; what is told here is of the other streams",
        )


def _print_rows(passes: Sequence[PlannedPass]) -> None:
    rows = [
        (each.stream, step.action, step.subject or "-", step.reason or "-")
        for each in passes
        for step in each.steps
    ]
    rows += [(each.stream, "wait", "-", each.waiting) for each in passes if each.waiting]
    rows += [
        (each.stream, "wait", wait.subject, f"{wait.action}: {wait.reason}")
        for each in passes
        for wait in each.waits
    ]
    if rows:
        print_table(("stream", "action", "subject", "reason"), rows)
    else:
        click.echo("there is nothing to do")
