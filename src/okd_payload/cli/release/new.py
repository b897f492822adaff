# SPDX-License-Identifier: Apache-2.0
"""``okd-payload release new``: a release image of a stream, a repository, a release, folders."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from okd_payload.cli.issues import print_issues
from okd_payload.cli.loop import run_async
from okd_payload.cli.output import output_option
from okd_payload.cli.release.new_options import Outputs, new_options, read_outputs, read_request
from okd_payload.cli.release.new_stream import (
    StreamSource,
    find_source_release,
    read_stream_source,
    take_stream_source,
)
from okd_payload.cli.release.options import (
    find_content,
    print_go_json,
    release_registry_options,
    release_registry_settings,
    tell_progress,
)
from okd_payload.cli.services import Services, open_services
from okd_payload.cli.settings import Settings
from okd_payload.errors import ReleaseError
from okd_payload.oci.location import Location, RegistryLocation, parse_location
from okd_payload.oci.threads import finish_in_thread
from okd_payload.progress import Noticed
from okd_payload.release.new.assemble import (
    AssembledRelease,
    find_base,
    put_on_base,
    require_none_blocks,
    require_sound,
)
from okd_payload.release.new.image import write_layer
from okd_payload.release.new.images import RepositoryOf
from okd_payload.release.new.mirror import mirror_images
from okd_payload.release.new.payload import Payload, ReleaseParts
from okd_payload.release.new.publish import (
    publish_release,
    write_file,
    write_folder,
    write_message,
)
from okd_payload.release.new.remembered_checks import RememberedChecks
from okd_payload.release.new.request import (
    NewRequest,
    Prepared,
    is_repetition,
    make,
    merged_stream,
    prepare,
)
from okd_payload.release.new.sources import write_operator_folders
from okd_payload.release.times import format_time, from_seconds

if TYPE_CHECKING:  # loads the HTTP client
    from okd_payload.oci.registry import RegistrySettings


@click.command()
@new_options
@release_registry_options
@output_option("json", "yaml")
@click.pass_obj
def new(settings: Settings, /, **options: Any) -> None:
    """Make a release of the images of a stream, a repository, a release or folders.

    NAME=PULLSPEC adds an image or replaces one. Whatever is wrong is reported all at once. The
    same inputs give the same digest, here and elsewhere. With -o nothing is made: the merged
    image stream is printed.
    """
    registries = release_registry_settings(options)
    content = options.pop("content")
    request = read_request(options)
    job = _Job(settings, request, take_stream_source(options), read_outputs(options))
    run_async(job.run(registries, content))


class _Job:
    """One run of the command."""

    def __init__(
        self, settings: Settings, request: NewRequest, source: StreamSource, outputs: Outputs
    ) -> None:
        self._settings = settings
        self._request = request
        self._source = source
        self._outputs = outputs
        self._progress = tell_progress(settings)

    async def run(self, registries: RegistrySettings, content: str) -> None:
        outputs = self._outputs
        async with open_services(self._settings, self._progress, registries=registries) as services:
            request = await read_stream_source(self._source, self._request, services)
            request = await find_source_release(request, services)
            repository_of = await find_content(
                content or request.repository,
                services,
                standing_for=request.published_as,
                cached=True,
            )
            prepared = await prepare(
                request,
                open_location=services.open_location,
                repository_of=repository_of,
                progress=self._progress,
            )
            if outputs.format:
                print_issues(prepared.given.issues, self._settings)
                require_none_blocks(prepared.given.issues)
                now = from_seconds(int(services.clock.now()))
                print_go_json(merged_stream(prepared, now=now), outputs.format)
                return
            check = RememberedChecks(services.shelves.checks)
            parts, payload = await make(
                request, prepared, repository_of=repository_of, progress=self._progress, check=check
            )
            check.save()
            self._tell(parts, payload)
            if outputs.folder:
                write_folder(payload, outputs.folder)
            elif outputs.file:
                await _write_file(payload, outputs.file)
            else:
                release = await put_on_base(
                    payload,
                    prepared.base or find_base(prepared.given, prepared.options),
                    repository_of=repository_of,
                    keep_lists=request.keep_lists,
                )
                await self._publish(release, parts, services, repository_of)
                self._report(release, prepared)

    def _tell(self, parts: ReleaseParts, payload: Payload) -> None:
        if self._outputs.kept:
            write_operator_folders(parts, payload, self._outputs.kept)
        print_issues(payload.issues, self._settings)
        require_sound(payload)
        if not any(operator.top_files for operator in parts.operators):
            click.echo(
                "warning: No operator metadata was found,"
                " no operators will be part of the release.",
                err=True,
            )

    async def _publish(
        self,
        release: AssembledRelease,
        parts: ReleaseParts,
        services: Services,
        repository_of: RepositoryOf,
    ) -> None:
        if self._request.mirror:
            await self._mirror(release.payload, parts, services, repository_of)
        image = self._outputs.image
        if image is None or self._outputs.dry_run:
            return
        await publish_release(
            release,
            await services.open_target(image),
            tag=self._tag_for(release, image),
            repository_of=repository_of,
        )
        self._note(f"Pushed to {image}")

    async def _mirror(
        self,
        payload: Payload,
        parts: ReleaseParts,
        services: Services,
        repository_of: RepositoryOf,
    ) -> None:
        if self._outputs.dry_run:
            return
        repository = self._request.mirror
        mirrored = await mirror_images(
            payload,
            parts,
            await services.open_target(parse_location(repository)),
            repository_of=repository_of,
            progress=self._progress,
        )
        for image in mirrored:
            click.echo(f"{image.digest} {repository}:{image.tag}")
        click.echo(f"\nSuccess\nUpdate image:  {repository}:{payload.name}")
        click.echo(f"Mirror prefix: {repository}")

    def _tag_for(self, release: AssembledRelease, image: Location) -> str | None:
        """The tag to push: the one that was given, or the name that was chosen.

        A name that nobody chose is no tag in a registry, where the digest will do; a layout
        would lose an image without a tag.
        """
        if image.tag:
            return image.tag
        chosen = bool(self._request.options.name or self._request.release)
        return release.name if chosen or not isinstance(image, RegistryLocation) else None

    def _report(self, release: AssembledRelease, prepared: Prepared) -> None:
        created = format_time(release.payload.created)
        click.echo(f"{release.digest} {release.name} {created}")
        image = self._outputs.image
        if self._outputs.signature and isinstance(image, RegistryLocation):
            write_message(release, image.reference, self._outputs.signature)
        source = prepared.source
        if source and self._request.repeats and not is_repetition(source, release):
            raise ReleaseError(
                "the release could not be reproduced from its inputs",
                hint="other images, other rules, or changes by hand made it",
            )

    def _note(self, message: str) -> None:
        self._progress(Noticed(subject="", message=message))


async def _write_file(payload: Payload, name: str) -> None:
    layer = await finish_in_thread(write_layer, payload)
    if name == "-":
        sys.stdout.buffer.write(layer.content)
    else:
        write_file(payload, layer, Path(name))
