# SPDX-License-Identifier: Apache-2.0
"""What the commands about releases share: options for registries, and where images are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click
import msgspec

from okd_payload.cli.option_groups import option_group
from okd_payload.cli.output import escape_controls
from okd_payload.cli.registry_options import registry_options, registry_settings
from okd_payload.cli.services import Services
from okd_payload.cli.settings import Settings
from okd_payload.oci.location import RegistryLocation, parse_location
from okd_payload.oci.reference import Reference
from okd_payload.oci.repository import Repository
from okd_payload.progress import Delayed, Event, Noticed, Progress, ignore_progress

if TYPE_CHECKING:
    from okd_payload.oci.registry import RegistrySettings
    from okd_payload.release.new.images import RepositoryOf


release_registry_options = option_group(
    registry_options,
    click.option("--insecure", is_flag=True, help="Do not verify the certificate of any registry."),
    click.option(
        "--max-per-registry",
        type=click.IntRange(min=1),
        help="Most requests at a time; by default as many as the registry bears.",
    ),
    click.option(
        "--content",
        metavar="LOCATION",
        default="",
        help="Read all images here, instead of where their pull specs say.",
    ),
)
"""``registry_options``, and those by which ``oc`` says the same."""


def release_registry_settings(options: dict[str, Any]) -> RegistrySettings:
    """Take the values of ``release_registry_options`` out of ``options``, but for content."""
    from okd_payload.oci.registry.settings import EVERY_HOST

    insecure, most = options.pop("insecure"), options.pop("max_per_registry")
    settings = registry_settings(options)
    if insecure:
        settings = msgspec.structs.replace(settings, insecure_hosts=frozenset({EVERY_HOST}))
    if most:
        settings = msgspec.structs.replace(settings, max_concurrency=most)
    return settings


async def find_content(
    content: str, services: Services, *, standing_for: str = "", cached: bool = False
) -> RepositoryOf:
    """Where images are read: in the repository at ``content``, or where references say.

    With ``standing_for``, only the images of that repository are read at ``content``. Without
    ``content``, images that are beside the release on this machine, or were built on it, are read
    here, published or not. With ``cached``, what registries hold by digest may come from the
    cache, whether they still do or not: for commands that do not promise that images are there.
    """
    open_repository = services.open_cached if cached else services.open_repository
    if not content:
        from okd_payload.build.places import Places

        near = [*services.beside, *services.built_images()]
        return Places(near, open_repository).repository_of
    location = parse_location(content)
    if isinstance(location, RegistryLocation):
        repository = await open_repository(location.reference)
    else:
        repository = await services.open_location(location)

    async def repository_of(reference: Reference) -> Repository:
        if standing_for and reference.repository != standing_for:
            return await open_repository(reference)
        return repository

    return repository_of


def split_commas(texts: Sequence[str]) -> tuple[str, ...]:
    """The values of an option that may be repeated and may hold several."""
    return tuple(part for text in texts for part in text.split(","))


def tell_progress(settings: Settings) -> Progress:
    """A listener that prints notices in the words and the form of ``oc``.

    That the work waits for somebody is told once.
    """
    waited_for: set[str] = set()

    def tell(event: Event) -> None:
        if isinstance(event, Noticed):
            line = f"info: {event.message} {event.subject}".rstrip()
        elif isinstance(event, Delayed) and event.subject not in waited_for:
            waited_for.add(event.subject)
            line = f"info: Waiting for {event.subject}: {event.reason}"
        else:
            return
        click.echo(escape_controls(line), err=True)

    return ignore_progress if settings.quiet else tell


def print_go_json(value: msgspec.Struct, output: str) -> None:
    """Print an object of the field as its own tools do: JSON as Go writes it, or YAML."""
    from okd_payload.imagestream import go_json

    content = go_json.encode(value, indent=2)
    if output == "yaml":
        content = msgspec.yaml.encode(msgspec.json.decode(content)).rstrip(b"\n")
    click.echo(content.decode())
