# SPDX-License-Identifier: Apache-2.0
"""``okd-payload step probe``: whether builds would work where this runs."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from okd_payload import __version__
from okd_payload.cli.issues import print_issues
from okd_payload.cli.loop import run_async
from okd_payload.cli.registry_options import registry_options, registry_settings
from okd_payload.cli.services import open_services
from okd_payload.cli.settings import Settings
from okd_payload.engines.buildah import BuildahSettings
from okd_payload.engines.buildah.check import check_machine
from okd_payload.engines.pod.readiness.codes import REGISTRY_OUT_OF_REACH
from okd_payload.engines.pod.readiness.probe_report import ProbeReport, encode_report
from okd_payload.errors import OkdPayloadError
from okd_payload.oci.blob_sources import BytesSource
from okd_payload.oci.digest import digest_of
from okd_payload.oci.layout.files import storage_errors
from okd_payload.oci.location import parse_location
from okd_payload.oci.manifest import Descriptor
from okd_payload.progress import ignore_progress

if TYPE_CHECKING:
    from okd_payload.issues import Issue
    from okd_payload.oci.registry import RegistrySettings

_PLAIN = "application/octet-stream"
_DEADLINE, _DOUBTFUL_DEADLINE = 60.0, 5.0
"""Seconds: somebody waits for the answer."""
_WORDS = "okd-payload was here to see whether it can write"


@click.command()
@click.option(
    "--repository",
    default="",
    metavar="REPOSITORY",
    help="Also write a blob of a few bytes there and read it back; no tag is made.",
)
@click.option(
    "--report",
    "report_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write what was found there too, as JSON.",
)
@registry_options
@click.pass_obj
def probe(settings: Settings, /, repository: str, report_file: Path | None, **options: Any) -> int:
    """Try whether images can be built here, and pushed from here.

    A first small image is built and thrown away. The exit code is 0 when builds would work.
    """
    registries = msgspec.structs.replace(
        registry_settings(options), deadline=_DEADLINE, doubtful_deadline=_DOUBTFUL_DEADLINE
    )
    report = run_async(_probe(settings, repository, registries))
    if report_file is not None:
        with storage_errors("write", report_file):
            report_file.write_bytes(encode_report(report))
    print_issues(report.issues, settings)
    return 1 if any(issue.blocks for issue in report.issues) else 0


async def _probe(settings: Settings, repository: str, registries: RegistrySettings) -> ProbeReport:
    machine = await check_machine(settings.locations, BuildahSettings())
    found = await _try_repository(settings, repository, registries) if repository else []
    return ProbeReport(
        version=__version__,
        driver=machine.driver,
        repository=repository,
        issues=(*machine.issues, *found),
    )


async def _try_repository(
    settings: Settings, name: str, registries: RegistrySettings
) -> list[Issue]:
    """Write and read a blob that nothing refers to: registries remove it by themselves."""
    content = f"{_WORDS}: {secrets.token_hex(16)}".encode()  # new each time, or nothing is sent
    blob = Descriptor(media_type=_PLAIN, digest=digest_of(content), size=len(content))
    try:
        async with open_services(settings, ignore_progress, registries=registries) as services:
            repository = await services.open_target(parse_location(name))
            await repository.blobs.write(blob, BytesSource(content))
            async for _ in repository.blobs.read(blob):
                pass
    except OkdPayloadError as error:
        return [REGISTRY_OUT_OF_REACH.issue(error.message, hint=error.hint)]
    return []
