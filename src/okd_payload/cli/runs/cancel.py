# SPDX-License-Identifier: Apache-2.0
"""``okd-payload runs cancel``: ending a run."""

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
from okd_payload.clock import SystemClock
from okd_payload.engines.runs.ending import cancel_run


@click.command(name="cancel")
@click.argument("run")
@cluster_options
def cancel_command(run: str, **options: Any) -> None:
    """End RUN: its coordinator and all builds that it has started.

    What is built stays, and the next build of the stream finds it. The run itself stays too, to
    be looked at, until it is pruned.
    """
    count = run_async(_cancel(take_cluster_options(options), run))
    click.echo(f"{run}: {count_of(count, 'object')} cancelled")


async def _cancel(options: ClusterOptions, run: str) -> int:
    async with connect(options) as cluster:
        return await cancel_run(cluster, run, clock=SystemClock(), namespace=options.namespace)
