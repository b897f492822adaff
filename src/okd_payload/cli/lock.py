# SPDX-License-Identifier: Apache-2.0
"""``okd-payload lock``: what every name means now, as a file to build from later."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from okd_payload.build.job import LOCK_FILE
from okd_payload.cli.issues import print_issues, stop_on_issues
from okd_payload.cli.loop import run_async
from okd_payload.cli.progress import show_progress
from okd_payload.cli.registry_options import registry_options, registry_settings
from okd_payload.cli.services import open_services
from okd_payload.cli.session import Session, start_session
from okd_payload.cli.settings import Settings
from okd_payload.cli.stream_options import StreamOptions, stream_options, take_stream_options
from okd_payload.source.lock import write_lock

if TYPE_CHECKING:
    from okd_payload.oci.registry import RegistrySettings


@click.command()
@stream_options
@click.option(
    "--to",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write; stream.lock beside the stream file by default.",
)
@registry_options
@click.pass_obj
def lock(settings: Settings, /, target: Path | None, **options: Any) -> None:
    """Write the commit of every source and the digest of every foreign image of STREAM.

    Build from it with --lock. With --lock here, what that file knows is kept.
    """
    registries = registry_settings(options)
    session = run_async(_freeze(settings, take_stream_options(options), registries))
    print_issues(session.plan.issues, settings)
    stop_on_issues(session.plan.issues, doing="anything was locked")
    path = target or session.folder / LOCK_FILE
    write_lock(session.frozen.lock, path)
    click.echo(path)


async def _freeze(
    settings: Settings, options: StreamOptions, registries: RegistrySettings
) -> Session:
    with show_progress(settings) as progress:
        async with open_services(settings, progress, registries=registries) as services:
            return await start_session(services, options)
