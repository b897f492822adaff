# SPDX-License-Identifier: Apache-2.0
"""``okd-payload step batch``: some images in one pod, for pipelines that others compose."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import click
import msgspec

from okd_payload.build.freeze import select
from okd_payload.build.job import BuildOutcome, JobOptions, build_images
from okd_payload.build.one_image import find_node
from okd_payload.build.records import Action
from okd_payload.cli.issues import count_of
from okd_payload.cli.loop import run_async
from okd_payload.cli.progress import show_progress
from okd_payload.cli.registry_options import registry_options, registry_settings
from okd_payload.cli.services import open_services
from okd_payload.cli.session import make_maker
from okd_payload.cli.settings import Settings
from okd_payload.cli.step.opening import StepOptions, open_step, step_options, take_step_options
from okd_payload.engines.buildah import BuildahSettings, Network
from okd_payload.errors import BuildError
from okd_payload.progress import ignore_progress

if TYPE_CHECKING:
    from okd_payload.oci.registry import RegistrySettings


class _Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which images, how many at a time, and what builds can reach."""

    names: tuple[str, ...]
    jobs: int
    network: str


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@step_options
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(min=1),
    default=2,
    show_default=True,
    help="Builds at a time.",
)
@click.option(
    "--network",
    type=click.Choice([network.value for network in Network]),
    default=Network.HOST.value,
    show_default=True,
    help="What builds can reach.",
)
@registry_options
@click.pass_obj
def batch(settings: Settings, /, **options: Any) -> None:
    """Make the images of NAMEs, and those that they stand on, in the order that they need.

    Without names, all of the snapshot. What is there by its build key is not built again, and
    what fails stops only what stands on it: the command fails when all the rest is done.
    """
    registries = registry_settings(options)
    step = take_step_options(options)
    outcome = run_async(_build(settings, step, _Wanted(**options), registries))
    records = outcome.record.components
    for item in records:
        click.echo(f"{item.name} {item.action.value} {item.digest or item.reason}")
    if not outcome.is_complete:
        counts = Counter(item.action for item in records)
        raise BuildError(
            f"{counts[Action.FAILED]} of {count_of(len(records), 'image')} failed, "
            f"{counts[Action.SKIPPED]} skipped",
            hint="the lines above say which; what was built is kept, and is not built again",
        )


async def _build(
    settings: Settings, options: StepOptions, wanted: _Wanted, registries: RegistrySettings
) -> BuildOutcome:
    async with open_services(settings, ignore_progress, registries=registries) as services:
        session = await open_step(services, options)
        tags = [find_node(session.plan, name).name for name in wanted.names if name]
        plan = select(session.plan, tags) if tags else session.plan
        buildah = BuildahSettings(network=Network(wanted.network))
        with show_progress(settings, total=len(plan.nodes)) as services.progress:
            return await build_images(
                msgspec.structs.replace(session.frozen, plan=plan),
                maker=make_maker(session, services, settings=buildah),
                runs=services.locations.runs(plan.stream),
                clock=services.clock,
                progress=services.tell,
                options=JobOptions(jobs=wanted.jobs),
            )
