# SPDX-License-Identifier: Apache-2.0
"""``okd-payload step payload``: the payload of a release stream, as its controller ordered it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from okd_payload.cli.loop import run_async
from okd_payload.cli.progress import show_progress
from okd_payload.cli.registry_options import registry_options, registry_settings
from okd_payload.cli.services import open_services
from okd_payload.cli.settings import Settings
from okd_payload.controller.creation.jobs.order import (
    PayloadOrder,
    PayloadReport,
    decode_order,
    report_of,
    shorten,
)
from okd_payload.controller.creation.makers import ProcessMaker
from okd_payload.controller.creation.making import MadePayload
from okd_payload.controller.surroundings import Repositories
from okd_payload.errors import OkdPayloadError
from okd_payload.oci.layout.files import storage_errors

if TYPE_CHECKING:
    from okd_payload.oci.registry import RegistrySettings


@click.command()
@click.option(
    "--order",
    "word",
    required=True,
    metavar="DOCUMENT",
    help="What it is made of, or which one is taken over.",
)
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write there, as JSON: why there is no payload, or what was found beside.",
)
@registry_options
@click.pass_obj
def payload(settings: Settings, /, word: str, report: Path | None, **options: Any) -> None:
    """Make the payload of a release, of the images that its order names, and push it.

    A payload that its order names is taken over instead, with its images. The pod of a Job runs
    this where a release stream says inJob. The images are brought to where those of releases are
    kept; the payload is the one that the server itself would make. What is there already is not
    done again. The digest goes to standard output.
    """
    registries = registry_settings(options)
    try:
        made = run_async(_make(settings, decode_order(word), registries))
    except OkdPayloadError as error:
        _write(report, report_of(error))
        raise
    _write(report, PayloadReport(warnings=shorten(made.warnings)))
    click.echo(made.digest)


async def _make(
    settings: Settings, order: PayloadOrder, registries: RegistrySettings
) -> MadePayload:
    with show_progress(settings) as progress:
        async with open_services(settings, progress, registries=registries) as services:
            repositories = Repositories(
                progress=services.tell,
                open_location=services.open_location,
                open_target=services.open_target,
            )
            return await ProcessMaker(repositories).make(
                order.to_configuration(), order.to_release(), order.inputs
            )


def _write(file: Path | None, report: PayloadReport) -> None:
    if file is not None:
        with storage_errors("write to", file):
            file.write_bytes(msgspec.json.encode(report))
