# SPDX-License-Identifier: Apache-2.0
"""``okd-payload runs attach``: following a detached run to its end."""

from __future__ import annotations

import sys
from typing import Any

import click

from okd_payload.cli.cluster_options import (
    ClusterOptions,
    cluster_options,
    connect,
    take_cluster_options,
)
from okd_payload.cli.loop import run_async
from okd_payload.cli.output import escape_controls
from okd_payload.cli.settings import Settings
from okd_payload.engines.runs.attaching import Attachment
from okd_payload.engines.runs.overview import find_run


@click.command(name="attach")
@click.argument("run")
@cluster_options
@click.pass_obj
def attach_command(settings: Settings, /, run: str, **options: Any) -> int:
    """Follow the detached run RUN to its end, and end with its exit code.

    Its log goes to standard output, and the logs of its builds to where those of local runs are:
    `okd-payload logs` prints them. Stopping this command stops nothing on the cluster.
    """
    return run_async(_attach(settings, take_cluster_options(options), run))


async def _attach(settings: Settings, options: ClusterOptions, name: str) -> int:
    async with connect(options) as cluster:
        namespace = options.namespace or cluster.namespace
        known = await find_run(cluster, name, namespace=namespace)
        attachment = Attachment(
            cluster,
            known,
            namespace=namespace,
            folder=settings.locations.runs(known.stream) / name / "logs",
            show=_show,
        )
        return await attachment.follow()


def _show(piece: bytes) -> None:
    if sys.stdout.isatty():
        text = escape_controls(piece.decode(errors="replace"), keep_lines=True)
        click.echo(text, nl=False)
    else:
        sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
