# SPDX-License-Identifier: Apache-2.0
"""``okd-payload step component``: one component of a snapshot, unless it is there already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from okd_payload.build.freeze import select
from okd_payload.build.one_image import find_node, make_one
from okd_payload.build.records import Action, ComponentRecord
from okd_payload.cli.loop import run_async
from okd_payload.cli.registry_options import registry_options, registry_settings
from okd_payload.cli.services import open_services
from okd_payload.cli.session import make_maker
from okd_payload.cli.settings import Settings
from okd_payload.cli.step.following import shown_log
from okd_payload.cli.step.opening import StepOptions, open_step, step_options, take_step_options
from okd_payload.cli.step.results import result_options, take_results, write_result
from okd_payload.engines.buildah import BuildahSettings, Network
from okd_payload.engines.pod.step_results import COMPONENT_RESULTS
from okd_payload.progress import ignore_progress

if TYPE_CHECKING:
    from okd_payload.oci.registry import RegistrySettings


@click.command()
@click.argument("name")
@step_options
@click.option(
    "--network",
    type=click.Choice([network.value for network in Network]),
    default=Network.HOST.value,
    show_default=True,
    help="What the build can reach.",
)
@result_options(COMPONENT_RESULTS)
@registry_options
@click.pass_obj
def component(settings: Settings, /, name: str, **options: Any) -> None:
    """Make the image of NAME, a component or an import of the snapshot.

    What it stands on is found by its build key in the repository. When an image with the key of
    NAME is there, nothing is built. The log goes to standard error, the digest to standard output.
    """
    results = take_results(options)
    registries = registry_settings(options)
    step, network = take_step_options(options), Network(options.pop("network"))
    record = run_async(_make(settings, step, registries, name=name, network=network))
    built = record.action in (Action.BUILT, Action.IMPORTED)
    write_result(results, "digest", record.digest or "")
    write_result(results, "key", record.key)
    write_result(results, "built", "true" if built else "false")
    click.echo(record.digest)


async def _make(
    settings: Settings,
    options: StepOptions,
    registries: RegistrySettings,
    *,
    name: str,
    network: Network,
) -> ComponentRecord:
    """How the image came about."""
    log = settings.locations.state / "step.log"
    async with open_services(settings, ignore_progress, registries=registries) as services:
        session = await open_step(services, options)
        node = find_node(session.plan, name)
        maker = make_maker(session, services, settings=BuildahSettings(network=network))
        async with shown_log(log, services.clock):
            made = await make_one(select(session.plan, [node.name]), node, maker=maker, log=log)
    return made.record
