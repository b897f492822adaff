# SPDX-License-Identifier: Apache-2.0
"""``okd-payload step imports``: the images of elsewhere that a snapshot needs, copied once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from okd_payload.build.maker import Made
from okd_payload.build.one_image import bring_imports
from okd_payload.cli.loop import run_async
from okd_payload.cli.progress import show_progress
from okd_payload.cli.registry_options import registry_options, registry_settings
from okd_payload.cli.services import open_services
from okd_payload.cli.session import make_maker
from okd_payload.cli.settings import Settings
from okd_payload.cli.step.opening import StepOptions, open_step, step_options, take_step_options

if TYPE_CHECKING:
    from okd_payload.oci.registry import RegistrySettings

_AT_ONCE = 8


@click.command()
@step_options
@registry_options
@click.pass_obj
def imports(settings: Settings, /, **options: Any) -> None:
    """Copy every image of elsewhere that the snapshot names into the repository.

    Components bring what they miss themselves; this does it once for all of them, before any
    starts. What is there already is not copied again.
    """
    registries = registry_settings(options)
    for made in run_async(_bring(settings, take_step_options(options), registries)):
        click.echo(f"{made.record.name} {made.image.digest}")


async def _bring(
    settings: Settings, options: StepOptions, registries: RegistrySettings
) -> list[Made]:
    with show_progress(settings) as progress:
        async with open_services(settings, progress, registries=registries) as services:
            session = await open_step(services, options)
            return await bring_imports(
                session.plan,
                maker=make_maker(session, services),
                folder=settings.locations.state / "imports",
                at_once=_AT_ONCE,
            )
