# SPDX-License-Identifier: Apache-2.0
"""``okd-payload runs list``: the runs on a cluster, and how far they are."""

from __future__ import annotations

from typing import Any

import click

from okd_payload.cli.cluster_options import (
    ClusterOptions,
    cluster_options,
    connect,
    take_cluster_options,
)
from okd_payload.cli.loop import run_async
from okd_payload.cli.output import output_option, print_document, print_table
from okd_payload.engines.runs.overview import RunOverview, list_runs


@click.command(name="list")
@click.option("--stream", default="", metavar="NAME", help="Only runs of this stream.")
@cluster_options
@output_option("json", "yaml")
def list_command(stream: str, output: str | None, **options: Any) -> None:
    """Show the runs on a cluster: which stream, since when, and how many builds are where.

    Runs are there until they are pruned. One that is driven by a program elsewhere shows what
    it has on the cluster now.
    """
    found = run_async(_list(take_cluster_options(options), stream))
    if output:
        print_document(found, output)
        return
    print_table(
        ["run", "stream", "state", "started", "building", "built", "failed"],
        [
            [
                each.run,
                each.stream,
                each.state.value + (", detached" if each.detached else ""),
                each.started,
                str(each.building),
                str(each.built),
                str(each.failed),
            ]
            for each in found
        ],
    )


async def _list(options: ClusterOptions, stream: str) -> list[RunOverview]:
    async with connect(options) as cluster:
        runs = await list_runs(cluster, namespace=options.namespace, stream=stream)
    return [run.describe() for run in runs]
