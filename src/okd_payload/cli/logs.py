# SPDX-License-Identifier: Apache-2.0
"""``okd-payload logs``: what the newest build of a component printed."""

from __future__ import annotations

import shutil
import sys

import click

from okd_payload.build.records import find_log
from okd_payload.cli.output import escape_controls
from okd_payload.cli.settings import Settings
from okd_payload.errors import InputError, UnknownName


@click.command()
@click.argument("component")
@click.option("--stream", default="", metavar="NAME", help="The stream, when several have it.")
@click.option("--path", "shows_path", is_flag=True, help="Print where the log is instead.")
@click.pass_obj
def logs(settings: Settings, /, component: str, stream: str, *, shows_path: bool) -> None:
    """Print the log of the newest build of COMPONENT.

    What could steer a terminal is made visible there, and left as it is in files.
    """
    streams = settings.locations.state / "streams"
    names = sorted(path.name for path in streams.iterdir()) if streams.is_dir() else []
    if stream and stream not in names:
        raise UnknownName("stream", stream, known=names)
    found = {}
    problem = InputError("nothing was built here yet", hint="`okd-payload build STREAM` does")
    for name in [stream] if stream else names:
        try:
            found[name] = find_log(settings.locations.runs(name), component)
        except UnknownName as error:
            problem = error if not problem.hint.startswith("did you mean") else problem
    if not found:
        raise problem
    if len(found) > 1:
        raise InputError(
            f"{component} was built for {' and '.join(found)}", hint="choose one with --stream"
        )
    (path,) = found.values()
    if shows_path:
        click.echo(path)
        return
    with path.open("rb") as file:
        if sys.stdout.isatty():
            for line in file:
                click.echo(
                    escape_controls(line.decode(errors="replace"), keep_lines=True), nl=False
                )
        else:
            shutil.copyfileobj(file, sys.stdout.buffer)
