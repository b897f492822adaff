# SPDX-License-Identifier: Apache-2.0
"""``okd-payload publish``: copy a release and all its images to where clusters pull from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from okd_payload.build.publish import Published, publish_release
from okd_payload.catalog.load import load_catalog
from okd_payload.cli.loop import run_async
from okd_payload.cli.output import output_option, print_document
from okd_payload.cli.progress import show_progress
from okd_payload.cli.registry_options import registry_options, registry_settings
from okd_payload.cli.services import open_services
from okd_payload.cli.settings import Settings
from okd_payload.oci.digest import Digest
from okd_payload.oci.layout import LayoutRepository
from okd_payload.oci.location import parse_location
from okd_payload.oci.registry import RegistrySettings
from okd_payload.release.load import load_release


class PrintedPublication(msgspec.Struct, frozen=True, kw_only=True):
    """What was published, as ``-o json`` prints it."""

    release: str
    digest: Digest
    reference: str
    images: int
    copied_bytes: int
    present_bytes: int


@click.command()
@click.argument("stream", type=click.Path(exists=True, path_type=Path))
@click.argument("release")
@click.option("--content", metavar="REPOSITORY", help="Where images go; else what the stream says.")
@click.option(
    "--releases", metavar="REPOSITORY", help="Where the release goes; else what the stream says."
)
@registry_options
@output_option("json", "yaml")
@click.pass_obj
def publish(
    settings: Settings, /, stream: Path, release: str, output: str | None, **options: Any
) -> None:
    """Publish RELEASE of STREAM: copy its images and then the release image, byte for byte.

    RELEASE is the name that `build` printed. What is there already is not sent again; after an
    interruption the same command goes on.
    """
    registries = registry_settings(options)
    published = run_async(_publish(settings, stream, release, registries=registries, **options))
    printed = PrintedPublication(
        release=published.release,
        digest=published.digest,
        reference=published.reference,
        images=len(published.images.images),
        copied_bytes=published.images.copied.bytes,
        present_bytes=published.images.present.bytes + published.images.mounted.bytes,
    )
    if output:
        print_document(printed, output)
    else:
        click.echo(f"{printed.release} {printed.reference}")


async def _publish(
    settings: Settings,
    path: Path,
    name: str,
    *,
    registries: RegistrySettings,
    content: str | None,
    releases: str | None,
) -> Published:
    stream = load_catalog(path).stream
    images = LayoutRepository(settings.locations.images(stream.name))
    own = LayoutRepository(settings.locations.releases(stream.name))
    release = await load_release(own, name)
    with show_progress(settings) as progress:
        async with open_services(settings, progress, registries=registries) as services:
            return await publish_release(
                release,
                content=images,
                releases=own,
                content_target=await services.open_location(
                    parse_location(content or stream.content_repository)
                ),
                releases_target=await services.open_location(
                    parse_location(releases or stream.release_repository)
                ),
                content_repository=stream.content_repository,
                progress=progress,
            )
