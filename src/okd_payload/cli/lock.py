# SPDX-License-Identifier: Apache-2.0
"""``okd-payload lock``: what every name means now, as a file to build from later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from okd_payload.cli.issues import print_issues, stop_on_issues
from okd_payload.cli.loop import run_async
from okd_payload.cli.progress import show_progress
from okd_payload.cli.services import open_services
from okd_payload.cli.session import Session, read_catalog, start_session
from okd_payload.cli.settings import Settings
from okd_payload.cli.stream_options import StreamOptions, stream_options
from okd_payload.source.lock import write_lock


@click.command()
@stream_options
@click.option(
    "--to",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write; stream.lock beside the stream file by default.",
)
@click.pass_obj
def lock(settings: Settings, /, target: Path | None, **options: Any) -> None:
    """Write the commit of every source and the digest of every foreign image of STREAM.

    Build from it with --lock. With --lock here, what that file knows is kept.
    """
    session = run_async(_freeze(settings, StreamOptions(**options)))
    print_issues(session.plan.issues, settings)
    stop_on_issues(session.plan.issues, doing="anything was locked")
    path = target or Path(session.catalog.path).parent / "stream.lock"
    write_lock(session.frozen.lock, path)
    click.echo(path)


async def _freeze(settings: Settings, options: StreamOptions) -> Session:
    catalog = read_catalog(options)
    with show_progress(settings) as progress:
        async with open_services(settings, progress) as services:
            return await start_session(services, options, catalog=catalog)
