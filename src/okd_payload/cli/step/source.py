# SPDX-License-Identifier: Apache-2.0
"""``okd-payload step source``: one image of a folder that somebody else checked out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from okd_payload.build.freeze import freeze
from okd_payload.build.images import StreamImages
from okd_payload.build.imports import Importer
from okd_payload.build.maker import Maker
from okd_payload.build.one_image import find_node, make_one
from okd_payload.build.places import Places
from okd_payload.build.records import ComponentRecord
from okd_payload.build.source_build import (
    SourceBuild,
    decode_text,
    make_source_catalog,
    read_arguments,
    read_inputs,
    read_lists,
)
from okd_payload.build.steps import Steps
from okd_payload.catalog.component import Layering
from okd_payload.cli.issues import find_obstacle, print_issues
from okd_payload.cli.loop import run_async
from okd_payload.cli.option_groups import option_group
from okd_payload.cli.registry_options import registry_options, registry_settings
from okd_payload.cli.services import open_services
from okd_payload.cli.settings import Settings
from okd_payload.cli.step.following import shown_log
from okd_payload.cli.step.results import result_options, take_results, write_result
from okd_payload.engines.buildah import BuildahEngine, BuildahSettings, Network
from okd_payload.engines.pod import outcome
from okd_payload.engines.shipwright import results as shipwright
from okd_payload.errors import InputError, OkdPayloadError
from okd_payload.oci.image import read_image
from okd_payload.oci.location import RegistryLocation
from okd_payload.oci.platform import host_platform
from okd_payload.oci.reference import Reference, parse_reference
from okd_payload.progress import ignore_progress
from okd_payload.source.lock import Lock

if TYPE_CHECKING:
    from okd_payload.oci.registry import RegistrySettings

_RESULTS = {name: outcome.RESULTS[name] for name in (outcome.DIGEST_RESULT, outcome.KEY_RESULT)}
_LATEST = "latest"


class _Made(msgspec.Struct, frozen=True):
    """How the image came about, and how large it is."""

    record: ComponentRecord
    size: int


_source_options = option_group(
    click.argument("words", nargs=-1, type=click.UNPROCESSED),
    click.option(
        "--root",
        required=True,
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        metavar="DIR",
        help="The root of the source.",
    ),
    click.option(
        "--context",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="The build context, a folder of the root; else the root.",
    ),
    click.option("--output", required=True, metavar="PULLSPEC", help="Where the image goes."),
    click.option(
        "--dockerfile",
        default="Dockerfile",
        show_default=True,
        metavar="PATH",
        help="The Dockerfile, relative to the context.",
    ),
    click.option(
        "--inline",
        default="",
        metavar="BASE64",
        help="The Dockerfile itself, in base64, in place of one of the source.",
    ),
    click.option(
        "--base", default="", metavar="PULLSPEC", help="Replaces the image of the last FROM."
    ),
    click.option(
        "--layering",
        type=click.Choice([layering.value for layering in Layering]),
        default=Layering.ONE.value,
        show_default=True,
        help="Whether the image gets one layer, or one for each instruction.",
    ),
    click.option(
        "--network",
        type=click.Choice([network.value for network in Network]),
        default=Network.HOST.value,
        show_default=True,
        help="What the build can reach.",
    ),
    result_options(_RESULTS | shipwright.RESULTS),
    registry_options,
)


@click.command(context_settings={"ignore_unknown_options": True})
@_source_options
@click.pass_obj
def source(settings: Settings, /, words: tuple[str, ...], **options: Any) -> None:
    """Build an image of a folder, with the meaning of a BuildConfig, and push it.

    WORDS are lists, each behind its name: images NAME=PULLSPEC..., copies
    PULLSPEC=SOURCE=DESTINATION..., build-args NAME=VALUE..., env NAME=VALUE..., labels
    NAME=VALUE... An image with the same build key is not built again. This is what our strategy
    for Shipwright runs.
    """
    results = take_results(options)
    registries = registry_settings(options)
    try:
        output = _read_output(options.pop("output"))
        network = Network(options.pop("network"))
        build = _read_build(words, options, tag=output.tag or _LATEST)
        made = run_async(_make(settings, build, output, registries, network=network))
    except OkdPayloadError as error:
        for name, text in shipwright.describe_failure(outcome.failure_of(error)).items():
            write_result(results, name, text)
        raise
    write_result(results, outcome.DIGEST_RESULT, made.record.digest or "")
    write_result(results, outcome.KEY_RESULT, made.record.key)
    write_result(results, shipwright.SIZE_RESULT, str(made.size))
    click.echo(made.record.digest)


def _read_output(text: str) -> Reference:
    """The pull spec to push to. Raises InputError."""
    reference = parse_reference(text)
    if reference.digest is not None:
        raise InputError(f"{text} cannot be pushed to", hint="name a tag instead of a digest")
    return reference


def _read_build(words: tuple[str, ...], options: dict[str, Any], *, tag: str) -> SourceBuild:
    """What is to be built. Raises InputError."""
    lists = read_lists(words)
    root = options["root"].resolve()
    context = (options["context"] or root).resolve()
    if not context.is_relative_to(root):
        raise InputError(f"the context {context} is not below {root}", hint="correct --context")
    return SourceBuild(
        tag=tag,
        folder=str(root),
        context_directory=os.path.relpath(context, root),
        dockerfile_path=options["dockerfile"],
        dockerfile=decode_text(options["inline"]) if options["inline"] else None,
        base=options["base"],
        inputs=read_inputs(lists["images"], lists["copies"]),
        build_arguments=read_arguments(lists["build-args"]),
        environment=read_arguments(lists["env"]),
        labels=read_arguments(lists["labels"]),
        layering=Layering(options["layering"]),
    )


async def _make(
    settings: Settings,
    build: SourceBuild,
    output: Reference,
    registries: RegistrySettings,
    *,
    network: Network,
) -> _Made:
    catalog, platform = make_source_catalog(build), host_platform()
    log = settings.locations.state / "step.log"
    async with open_services(settings, ignore_progress, registries=registries) as services:
        repository = await services.open_target(RegistryLocation(output))
        places = Places([repository], services.open_repository)
        frozen = await freeze(
            catalog,
            sources=services.sources,
            resolve=places.resolve,
            platform=platform,
            lock=Lock(),
        )
        print_issues(frozen.plan.issues, settings)
        obstacle = find_obstacle(frozen.plan.issues, doing="the build")
        if obstacle is not None:
            raise obstacle
        images = StreamImages(repository, platform)
        maker = Maker(
            engine=BuildahEngine(
                repository=repository,
                sources=services.sources,
                locations=services.locations,
                settings=BuildahSettings(network=network),
            ),
            images=images,
            importer=Importer(images, places.repository_of, services.tell),
            steps=Steps(frozen.catalog, images),
            clock=services.clock,
            progress=services.tell,
        )
        node = find_node(frozen.plan, build.tag)
        async with shown_log(log, services.clock):
            made = await make_one(frozen.plan, node, maker=maker, log=log)
        image = await read_image(repository, made.image.digest, platform=platform)
        size = sum(blob.size for blob in image.content.blobs)
    return _Made(made.record, size)
