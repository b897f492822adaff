# SPDX-License-Identifier: Apache-2.0
"""The options of ``okd-payload build`` that are its own.

Which stream, with which inputs, on which engine and with which registries is asked for by groups
that other commands take too; their values are taken out by the modules that own them.
"""

from __future__ import annotations

import os
from pathlib import Path

import click
import msgspec

from okd_payload.cli.engine_options import (
    EngineOptions,
    check_engine_options,
    engine_options,
)
from okd_payload.cli.engines.detaching import check_detaching
from okd_payload.cli.option_groups import option_group
from okd_payload.cli.output import output_option
from okd_payload.cli.registry_options import registry_options
from okd_payload.cli.stream_options import (
    StreamOptions,
    change_options,
    impact_options,
    repository_option,
    stream_options,
)
from okd_payload.engines.pod.accounts import COORDINATOR
from okd_payload.errors import InputError

build_options = option_group(
    stream_options,
    repository_option,
    change_options,
    impact_options,
    click.option(
        "--dry-run",
        is_flag=True,
        help="With --change: show what would be built, and build nothing.",
    ),
    click.option(
        "--content",
        default="",
        metavar="REPOSITORY",
        help="Without a stream file: where the images will be published.",
    ),
    click.option(
        "--releases",
        default="",
        metavar="REPOSITORY",
        help="Without a stream file: where the release will be published.",
    ),
    click.option(
        "-j",
        "--jobs",
        type=click.IntRange(min=1),
        default=lambda: os.cpu_count() or 1,
        show_default="number of processors",
        help="Builds at a time.",
    ),
    click.option("--fail-fast", is_flag=True, help="Stop at the first failure."),
    click.option(
        "--keep-going",
        is_flag=True,
        help="Make the release although images failed: theirs stay as they were.",
    ),
    engine_options,
    click.option(
        "--detach",
        is_flag=True,
        help="With --engine tekton: let the cluster plan and build, and do not wait for it.",
    ),
    click.option(
        "--coordinator-account",
        default=COORDINATOR,
        show_default=True,
        metavar="NAME",
        help="With --detach: the account of the pod that plans.",
    ),
    click.option(
        "--report",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="Write report.json and report.html there.",
    ),
    registry_options,
    output_option("json", "yaml"),
)
"""What ``build`` can be told; see ``BuildOptions`` and the modules of the groups."""


class BuildOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options of ``build`` that are not about the stream's inputs."""

    jobs: int
    fail_fast: bool
    keep_going: bool
    dry_run: bool
    detach: bool
    coordinator_account: str
    report: Path | None
    engine: EngineOptions


def check_build_options(chosen: BuildOptions, stream: StreamOptions) -> None:
    """Refuse options that contradict each other. Raises InputError."""
    if chosen.dry_run and not stream.changes:
        raise InputError(
            "--dry-run goes with --change", hint="`okd-payload plan` shows any other build"
        )
    if chosen.keep_going and chosen.fail_fast:
        raise InputError("--keep-going and --fail-fast contradict each other", hint="give one")
    check_engine_options(chosen.engine, repository=stream.repository)
    if chosen.detach:
        check_detaching(chosen.engine, wants_report=chosen.report is not None)
