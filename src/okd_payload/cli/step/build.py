# SPDX-License-Identifier: Apache-2.0
"""``okd-payload step build``: one image, of a step document, into a repository."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click
import msgspec

from okd_payload.build.images import StreamImages
from okd_payload.cli.loop import run_async
from okd_payload.cli.registry_options import registry_options, registry_settings
from okd_payload.cli.services import Services, open_services
from okd_payload.cli.settings import Settings
from okd_payload.cli.step.results import result_options, take_results, write_result
from okd_payload.engines.buildah import BuildahEngine, BuildahSettings, Network
from okd_payload.engines.pod import outcome
from okd_payload.engines.pod.building import BuiltStep, build_step, key_of_step
from okd_payload.engines.pod.step_document import decode_step
from okd_payload.errors import InputError, MissingTool, OkdPayloadError, StorageError
from okd_payload.oci.location import parse_location
from okd_payload.progress import ignore_progress

if TYPE_CHECKING:
    from okd_payload.build.engine import BuildStep
    from okd_payload.oci.registry import RegistrySettings

_LOOK_SECONDS = 0.2


class _Request(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be built, and where to."""

    step: BuildStep
    repository: str
    network: Network
    again: bool


@click.command()
@click.option("--step", "document", default="", metavar="DOCUMENT", help="The step document.")
@click.option(
    "--step-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A file with the step document.",
)
@click.option(
    "--repository",
    required=True,
    metavar="REPOSITORY",
    help="Where the parents are, and where the image goes: HOST/PATH or oci:PATH.",
)
@click.option("--again", is_flag=True, help="Build although an image with this key is there.")
@click.option(
    "--network",
    type=click.Choice([network.value for network in Network]),
    default=Network.HOST.value,
    show_default=True,
    help="What the build can reach.",
)
@result_options(outcome.RESULTS)
@registry_options
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
            network=Network(options["network"]),
            again=options["again"],
        )
        built, present = run_async(_build(settings, request, registries))
    except OkdPayloadError as error:
        failure = outcome.encode_failure(outcome.failure_of(error))
        write_result(results, outcome.FAILURE_RESULT, failure)
        raise
    write_result(results, outcome.DIGEST_RESULT, built.digest)
    write_result(results, outcome.KEY_RESULT, key_of_step(step))
    write_result(results, outcome.FORMAT_RESULT, present)
    click.echo(built.digest)


def _read_step(document: str, file: Path | None) -> BuildStep:
    """The step that one of the two options gives. Raises InputError and MissingTool."""
    if bool(document) == bool(file):
        raise InputError("give --step or --step-file", hint="exactly one of the two")
    try:
        text = file.read_text(encoding="ascii") if file else document
    except OSError as error:
        raise StorageError(f"cannot read {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is no step document", hint="it is one line of base64") from error
    try:
        return decode_step(text)
    except InputError as error:  # made by another version: no step of that run can be read here
        raise MissingTool(error.message, hint=error.hint) from error


async def _build(
    settings: Settings, request: _Request, registries: RegistrySettings
) -> tuple[BuiltStep, str]:
    """The image, and the format that this machine builds in."""
    log = settings.locations.state / "step.log"
    async with open_services(settings, ignore_progress, registries=registries) as services:
        repository = await services.open_target(parse_location(request.repository))
        engine = BuildahEngine(
            repository=repository,
            sources=services.sources,
            locations=services.locations,
            settings=BuildahSettings(network=request.network),
        )
        async with _shown(log, services):
            built = await build_step(
                request.step,
                engine=engine,
                images=StreamImages(repository, request.step.platform),
                log=log,
                again=request.again,
            )
    return built, engine.format_version


def _open_empty(log: Path) -> BinaryIO:
    """``log``, emptied, to be read. Raises StorageError."""
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(b"")
        return log.open("rb")
    except OSError as error:
        raise StorageError(f"cannot write to {log}: {error.strerror}") from error


@contextlib.asynccontextmanager
async def _shown(log: Path, services: Services) -> AsyncIterator[None]:
    """While it lasts, what is written to ``log`` goes to standard error as well."""
    with _open_empty(log) as file:

        def copy() -> None:
            while chunk := file.read(1024 * 1024):
                sys.stderr.buffer.write(chunk)
            sys.stderr.buffer.flush()

        async def follow() -> None:
            while True:  # a file tells nobody that it grows
                copy()
                await services.clock.wait(_LOOK_SECONDS)

        following = asyncio.create_task(follow())
        try:
            yield
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            copy()
