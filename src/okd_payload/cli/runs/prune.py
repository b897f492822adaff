# SPDX-License-Identifier: Apache-2.0
"""``okd-payload runs prune``: deleting what finished runs left on a cluster."""

from __future__ import annotations

from typing import Any

import click

from okd_payload.cli.cluster_options import (
    ClusterOptions,
    cluster_options,
    connect,
    take_cluster_options,
)
from okd_payload.cli.issues import count_of
from okd_payload.cli.loop import run_async
from okd_payload.engines.runs.ending import prune_runs
from okd_payload.engines.runs.overview import find_run, list_runs
from okd_payload.errors import InputError


@click.command(name="prune")
@click.argument("names", nargs=-1, metavar="[RUN]...")
@click.option("--stream", default="", metavar="NAME", help="Only runs of this stream.")
@cluster_options
def prune_command(names: tuple[str, ...], stream: str, **options: Any) -> None:
    """Delete what each RUN left there, or of all runs that are over, with their pods and logs.

    Images stay where they are. `okd-payload runs attach` brings the logs here before.
    """
    if names and stream:
        raise InputError("--stream chooses among all runs", hint="name runs, or give --stream")
    count = run_async(_prune(take_cluster_options(options), names, stream))
    click.echo(f"{count_of(count, 'object')} deleted")


async def _prune(options: ClusterOptions, names: tuple[str, ...], stream: str) -> int:
    async with connect(options) as cluster:
        if names:
            chosen = [await find_run(cluster, name, namespace=options.namespace) for name in names]
        else:
            known = await list_runs(cluster, namespace=options.namespace, stream=stream)
            chosen = [run for run in known if run.is_over]
        return await prune_runs(cluster, chosen, namespace=options.namespace)
