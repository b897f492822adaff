# SPDX-License-Identifier: Apache-2.0
"""The options that say which cluster is meant, shared by all commands that ask one."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec
from click.core import ParameterSource

from okd_payload.cli.option_groups import option_group
from okd_payload.errors import InputError

if TYPE_CHECKING:
    from okd_payload.cluster import Cluster

NAMESPACE_VARIABLE = "OKD_PAYLOAD_NAMESPACE"


class ClusterOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the options of ``cluster_options`` were set to."""

    namespace: str = ""
    kubeconfig: Path | None = None
    context: str = ""


cluster_options = option_group(
    click.option(
        "-n",
        "--namespace",
        default="",
        envvar=NAMESPACE_VARIABLE,
        metavar="NAME",
        help="The namespace on the cluster; else that of the context.",
    ),
    click.option(
        "--kubeconfig",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE",
        help="How to reach the cluster; else KUBECONFIG says it, or the pod's account.",
    ),
    click.option(
        "--context", default="", metavar="NAME", help="Which cluster of the kubeconfig it is."
    ),
)
"""The options of a command that asks a cluster; see ``ClusterOptions``."""


def take_cluster_options(options: dict[str, Any]) -> ClusterOptions:
    """Take what belongs to ``ClusterOptions`` out of ``options``."""
    names = ClusterOptions.__struct_fields__
    return ClusterOptions(**{name: options.pop(name) for name in names})


def refuse_without_cluster(*names: str) -> None:
    """Refuse the parameters ``names`` on the command line, as no cluster is meant.

    Raises InputError. What a variable sets stays: it may be there for other commands.
    """
    context = click.get_current_context()
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if parameter.name in names and source is ParameterSource.COMMANDLINE:
            raise InputError(
                f"{parameter.opts[-1]} is about a cluster, and none is meant",
                hint="say --cluster too",
            )


@contextlib.asynccontextmanager
async def connect(options: ClusterOptions) -> AsyncIterator[Cluster]:
    """The cluster that ``options`` mean. Raises InputError."""
    from okd_payload.cluster.lightkube_cluster import open_cluster

    async with open_cluster(
        options.kubeconfig, options.context, namespace=options.namespace
    ) as cluster:
        yield cluster
