# SPDX-License-Identifier: Apache-2.0
"""``okd-payload publish``: copy a release and all its images to where clusters pull from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from okd_payload.build.places import Places
from okd_payload.build.publish import Published, publish_release
from okd_payload.catalog.load import load_catalog
from okd_payload.catalog.stream import Stream
from okd_payload.cli.loop import run_async
from okd_payload.cli.output import output_option, print_document
from okd_payload.cli.progress import show_progress
from okd_payload.cli.registry_options import registry_options, registry_settings
from okd_payload.cli.services import open_services
from okd_payload.cli.session import open_images, read_publish
from okd_payload.cli.settings import Settings
from okd_payload.cli.stream_options import repository_option
from okd_payload.errors import InputError, UnknownName
from okd_payload.oci.digest import Digest
from okd_payload.oci.layout import LayoutRepository
from okd_payload.oci.location import Location, parse_location
from okd_payload.oci.registry import RegistrySettings
from okd_payload.release.load import Release, load_release


class PrintedPublication(msgspec.Struct, frozen=True, kw_only=True):
    """What was published, as ``-o json`` prints it."""

    release: str
    digest: Digest
    reference: str
    images: int
    copied_bytes: int
    present_bytes: int


class _Targets(msgspec.Struct, frozen=True, kw_only=True):
    """What the options say; empty where they say nothing."""

    content: str
    releases: str
    repository: str


@click.command()
@click.argument("stream")
@click.argument("release")
@repository_option
@click.option(
    "--content",
    default="",
    metavar="REPOSITORY",
    help="Where images go; else what the stream says.",
)
@click.option(
    "--releases",
    default="",
    metavar="REPOSITORY",
    help="Where the release goes; else what the stream says.",
)
@registry_options
@output_option("json", "yaml")
@click.pass_obj
def publish(
    settings: Settings, /, stream: str, release: str, output: str | None, **options: Any
) -> None:
    """Publish RELEASE of STREAM: copy its images and then the release image, byte for byte.

    STREAM is a stream file or its folder, or `change` for what was built without one. RELEASE is
    the name that `build` printed. What is there already is not sent again; after an interruption
    the same command goes on.
    """
    registries = registry_settings(options)
    targets = _Targets(**options)
    published = run_async(_publish(settings, stream, release, targets, registries=registries))
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
    stream_name: str,
    name: str,
    targets: _Targets,
    *,
    registries: RegistrySettings,
) -> Published:
    stream = _find_stream(settings, stream_name, targets)
    content = _find_target(targets.content or stream.publish.content, "content")
    releases = _find_target(targets.releases or stream.publish.releases, "releases")
    own = LayoutRepository(settings.locations.releases(stream.name))
    release = await _find_release(own, name)
    with show_progress(settings) as progress:
        async with open_services(settings, progress, registries=registries) as services:
            images = await open_images(services, targets.repository, stream.name)
            return await publish_release(
                release,
                repository_of=Places([images], services.open_repository).repository_of,
                releases=own,
                content_target=await services.open_target(content),
                releases_target=await services.open_target(releases),
                content_repository=stream.content_repository,
                progress=progress,
            )


def _find_stream(settings: Settings, name: str, targets: _Targets) -> Stream:
    """The stream that ``name`` is the file or folder of, or one that was built without a file."""
    if Path(name).exists():
        return load_catalog(Path(name)).stream
    folder = settings.locations.state / "streams"
    known = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    if name not in known:
        raise UnknownName("stream file", name, known=known, hint="give the path of a stream file")
    return Stream(name=name, catalog=(), publish=read_publish(targets.content, targets.releases))


def _find_target(text: str, option: str) -> Location:
    if not text:
        raise InputError(
            f"nobody says where to publish: --{option} is missing",
            hint=f"give it, or write `publish.{option}` into the stream file and build again",
        )
    location = parse_location(text)
    if location.selector:
        raise InputError(
            f"--{option} is a repository: {text} has a tag or digest", hint="leave it away"
        )
    return location


async def _find_release(releases: LayoutRepository, name: str) -> Release:
    tags = await releases.manifests.tags()
    if name not in tags:
        hint = "`okd-payload build` makes releases, and prints their names"
        raise UnknownName("release", name, known=tags, hint=hint)
    return await load_release(releases, name)
