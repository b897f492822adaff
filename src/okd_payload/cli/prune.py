# SPDX-License-Identifier: Apache-2.0
"""``okd-payload prune``: make room by removing what nothing needs any more."""

from __future__ import annotations

import click
import msgspec

from okd_payload.build.pruning import prune_images
from okd_payload.cli.loop import run_async
from okd_payload.cli.output import output_option, print_document
from okd_payload.cli.settings import Settings
from okd_payload.clock import SystemClock
from okd_payload.engines.buildah import BuildahEngine
from okd_payload.oci.cache import Shelves
from okd_payload.oci.layout import GarbageReport, LayoutRepository
from okd_payload.source.tree import Sources

_MEGABYTE = 1_000_000


class PrunedStream(msgspec.Struct, frozen=True, kw_only=True):
    """What was removed of one stream, as ``-o json`` prints it."""

    stream: str
    removed: int
    removed_bytes: int


class Pruned(msgspec.Struct, frozen=True, kw_only=True):
    """What was removed, as ``-o json`` prints it."""

    streams: tuple[PrunedStream, ...]
    cache_removed: int
    """Files of the cache by digest that were too old to fit."""
    cache_removed_bytes: int
    storage_emptied: bool
    """False when a running build uses the storage of buildah."""


@click.command()
@output_option("json", "yaml")
@click.pass_obj
def prune(settings: Settings, /, output: str | None) -> None:
    """Remove builds that no stream tag and no release needs, old cache, and buildah's storage.

    Images of all tags and releases stay, so does everything that a running build uses. The next
    build imports its base images into buildah's storage again, which takes seconds.
    """
    pruned = run_async(_prune(settings))
    if output:
        print_document(pruned, output)
        return
    for stream in pruned.streams:
        megabytes = stream.removed_bytes / _MEGABYTE
        click.echo(f"{stream.stream}: {stream.removed} blobs removed, {megabytes:.1f} MB")
    megabytes = pruned.cache_removed_bytes / _MEGABYTE
    click.echo(f"cache: {pruned.cache_removed} files removed, {megabytes:.1f} MB")
    click.echo(
        "buildah's storage emptied"
        if pruned.storage_emptied
        else "buildah's storage is in use by a running build and was left alone"
    )


async def _prune(settings: Settings) -> Pruned:
    locations = settings.locations
    found = []
    streams = locations.state / "streams"
    for folder in sorted(streams.iterdir()) if streams.is_dir() else []:
        images = LayoutRepository(locations.images(folder.name))
        report = await prune_images(images, LayoutRepository(locations.releases(folder.name)))
        found.append(_describe(folder.name, report))
    engine = BuildahEngine(
        repository=LayoutRepository(locations.blobs),
        sources=Sources(locations, clock=SystemClock()),
        locations=locations,
    )
    cache = Shelves(locations.content, clock=SystemClock()).prune()
    return Pruned(
        streams=tuple(found),
        cache_removed=cache.removed,
        cache_removed_bytes=cache.removed_bytes,
        storage_emptied=await engine.prune(),
    )


def _describe(stream: str, report: GarbageReport) -> PrunedStream:
    return PrunedStream(stream=stream, removed=report.removed, removed_bytes=report.removed_bytes)
