# SPDX-License-Identifier: Apache-2.0
"""``okd-payload step build``: one image, of a step document, into a repository."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from okd_payload.build.images import StreamImages
from okd_payload.cli.loop import run_async
from okd_payload.cli.option_groups import option_group
from okd_payload.cli.registry_options import registry_options, registry_settings
from okd_payload.cli.services import open_services
from okd_payload.cli.settings import Settings
from okd_payload.cli.snapshots import find_snapshot
from okd_payload.cli.step.following import shown_log
from okd_payload.cli.step.results import result_options, take_results, write_result
from okd_payload.engines.buildah import BuildahEngine, BuildahSettings, Network
from okd_payload.engines.pod import outcome
from okd_payload.engines.pod.building import BuiltStep, build_step, key_of_step
from okd_payload.engines.pod.step_document import decode_step
from okd_payload.engines.shipwright import results as shipwright
from okd_payload.errors import InputError, MissingTool, OkdPayloadError
from okd_payload.oci.image import read_image
from okd_payload.oci.layout.files import storage_errors
from okd_payload.oci.location import parse_location
from okd_payload.progress import ignore_progress

if TYPE_CHECKING:
    from okd_payload.build.engine import BuildStep
    from okd_payload.oci.registry import RegistrySettings


class _Request(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be built, and where to."""

    step: BuildStep
    repository: str
    snapshot: str
    network: Network
    again: bool


_build_options = option_group(
    click.option("--step", "document", default="", metavar="DOCUMENT", help="The step document."),
    click.option(
        "--step-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE",
        help="A file with the step document.",
    ),
    click.option(
        "--repository",
        required=True,
        metavar="REPOSITORY",
        help="Where the parents are, and where the image goes: HOST/PATH or oci:PATH.",
    ),
    click.option(
        "--snapshot",
        default="",
        metavar="REPOSITORY@DIGEST",
        help="Where the sources are that are in no git repository.",
    ),
    click.option("--again", is_flag=True, help="Build although an image with this key is there."),
    click.option(
        "--network",
        type=click.Choice([network.value for network in Network]),
        default=Network.HOST.value,
        show_default=True,
        help="What the build can reach.",
    ),
    result_options(outcome.RESULTS | shipwright.RESULTS),
    registry_options,
)


@click.command()
@_build_options
@click.pass_obj
def build(settings: Settings, /, document: str, step_file: Path | None, **options: Any) -> None:
    """Build the one image that a step document describes.

    The log of the build goes to standard error, the digest of the image to standard output. An
    image with the same build key is not built again. A failure is written as a result too, so
    that whoever waits for the pod can tell what to do about it.
    """
    results = take_results(options)
    registries = registry_settings(options)
    try:
        step = _read_step(document, step_file)
        request = _Request(
            step=step,
            repository=options["repository"],
            snapshot=options["snapshot"],
            network=Network(options["network"]),
            again=options["again"],
        )
        built, present, size = run_async(_build(settings, request, registries))
    except OkdPayloadError as error:
        failure = outcome.failure_of(error)
        write_result(results, outcome.FAILURE_RESULT, outcome.encode_failure(failure))
        for name, text in shipwright.describe_failure(failure).items():
            write_result(results, name, text)
        raise
    write_result(results, outcome.DIGEST_RESULT, built.digest)
    write_result(results, outcome.KEY_RESULT, key_of_step(step))
    write_result(results, outcome.FORMAT_RESULT, present)
    write_result(results, shipwright.SIZE_RESULT, str(size))
    click.echo(built.digest)


def _read_step(document: str, file: Path | None) -> BuildStep:
    """The step that one of the two options gives. Raises InputError and MissingTool."""
    if bool(document) == bool(file):
        raise InputError("give --step or --step-file", hint="exactly one of the two")
    try:
        text = _read_file(file) if file else document
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is no step document", hint="it is one line of base64") from error
    try:
        return decode_step(text)
    except InputError as error:  # made by another version: no step of that run can be read here
        raise MissingTool(error.message, hint=error.hint) from error


def _read_file(file: Path) -> str:
    with storage_errors("read", file):
        return file.read_text(encoding="ascii")


async def _build(
    settings: Settings, request: _Request, registries: RegistrySettings
) -> tuple[BuiltStep, str, int]:
    """The image, the format that this machine builds in, and the bytes of the image."""
    log = settings.locations.state / "step.log"
    async with open_services(settings, ignore_progress, registries=registries) as services:
        repository = await services.open_target(parse_location(request.repository))
        sources = services.sources
        if request.snapshot:
            snapshot = await find_snapshot(services, request.snapshot)
            sources = snapshot.sources(sources)
        engine = BuildahEngine(
            repository=repository,
            sources=sources,
            locations=services.locations,
            settings=BuildahSettings(network=request.network),
        )
        async with shown_log(log, services.clock):
            built = await build_step(
                request.step,
                engine=engine,
                images=StreamImages(repository, request.step.platform),
                log=log,
                again=request.again,
            )
        image = await read_image(repository, built.digest, platform=request.step.platform)
    return built, engine.format_version, sum(blob.size for blob in image.content.blobs)
