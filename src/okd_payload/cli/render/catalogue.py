# SPDX-License-Identifier: Apache-2.0
"""``okd-payload render catalogue``: Tasks and Pipelines for others, as hubs list them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from okd_payload import __version__
from okd_payload.cli.issues import print_issues, stop_on_issues
from okd_payload.cli.loop import run_async
from okd_payload.cli.progress import show_progress
from okd_payload.cli.registry_options import registry_options, registry_settings
from okd_payload.cli.render.planning import plan_variants, render_variant
from okd_payload.cli.services import Services, open_services
from okd_payload.cli.settings import Settings
from okd_payload.cli.stream_options import StreamOptions
from okd_payload.documents import convert, read_documents
from okd_payload.engines.manifests import Manifest, write_folder
from okd_payload.engines.pod.image import IMAGE_VARIABLE, choose_image
from okd_payload.engines.pod.tool import ToolSettings
from okd_payload.engines.tekton.catalogue.bundle import make_bundle, push_bundle
from okd_payload.engines.tekton.catalogue.check import check_entries
from okd_payload.engines.tekton.catalogue.entry import Entry, make_entry
from okd_payload.engines.tekton.catalogue.folder import PACKAGE_FILE, render_catalogue
from okd_payload.engines.tekton.rendering import RenderSettings, render_tasks
from okd_payload.engines.tekton.rendering.objects import Pipeline, Task
from okd_payload.errors import InputError, InvalidDocument
from okd_payload.oci.location import RegistryLocation, parse_location

if TYPE_CHECKING:
    from okd_payload.oci.registry import RegistrySettings

_PLATFORM = "linux/amd64"


class _Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What is published, and where to."""

    to: Path | None
    bundle: str
    version: str
    image: str
    platforms: tuple[str, ...]
    declared: bool


@click.command()
@click.argument("stream", required=False, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--to",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write the catalogue into this folder.",
)
@click.option(
    "--bundle",
    default="",
    metavar="REPOSITORY:TAG",
    help="Push all of it as one Tekton bundle to this registry.",
)
@click.option(
    "--version",
    default=__version__,
    show_default=True,
    metavar="VERSION",
    help="The version of all entries.",
)
@click.option(
    "--image",
    default="",
    metavar="PULLSPEC",
    help=f"The image that steps run by default; else {IMAGE_VARIABLE}, or the public one of this "
    "version.",
)
@click.option(
    "--platform",
    "platforms",
    multiple=True,
    default=(_PLATFORM,),
    show_default=True,
    metavar="OS/ARCH",
    help="A platform that the image is for.",
)
@click.option(
    "--declared-edges",
    "declared",
    is_flag=True,
    help="Read definitions of STREAM alone, and no Dockerfile: nothing is fetched.",
)
@registry_options
@click.pass_obj
def catalogue(settings: Settings, /, stream: Path | None, **options: Any) -> None:
    """Write the Tasks of okd-payload for hubs, and the Pipeline of STREAM if one is named.

    The folder has the layout that Artifact Hub and Tekton Hub read: a folder for each version,
    with a page and a package file. Older versions stay. A bundle is one image with everything,
    for Tekton's bundle resolver; its digest is printed.
    """
    registries = registry_settings(options)
    options["image"] = choose_image(options["image"])
    wish = _Wish(**options)
    if wish.to is None and not wish.bundle:
        raise InputError("nothing says where to", hint="give --to DIR, --bundle REPOSITORY:TAG")
    target = _read_target(wish.bundle) if wish.bundle else None
    run_async(_Publication(settings, wish, registries).run(stream, target))


class _Published(msgspec.Struct, frozen=True, rename="camel"):
    created_at: str


class _Publication:
    """One run of the command."""

    def __init__(self, settings: Settings, wish: _Wish, registries: RegistrySettings) -> None:
        self._settings = settings
        self._wish = wish
        self._registries = registries

    async def run(self, stream: Path | None, target: RegistryLocation | None) -> None:
        """Write and push. Raises OkdPayloadError."""
        with show_progress(self._settings) as progress:
            async with open_services(
                self._settings, progress, registries=self._registries
            ) as services:
                entries = self._make_entries(await self._render(services, stream))
                issues = check_entries(entries)
                print_issues(issues, self._settings)
                stop_on_issues(issues, doing="publishing")
                if self._wish.to is not None:
                    self._write(entries, services, self._wish.to)
                if target is not None:
                    await self._push(entries, services, target)

    async def _render(self, services: Services, stream: Path | None) -> Sequence[Manifest]:
        rendering = RenderSettings(tool=ToolSettings(image=self._wish.image))
        if stream is None:
            return render_tasks((), rendering.tool)
        options = StreamOptions(stream=stream)
        (variant,) = await plan_variants(services, options, (), declared=self._wish.declared)
        print_issues(variant.plan.issues, self._settings)
        stop_on_issues(variant.plan.issues, doing="publishing")
        return render_variant(variant, rendering)

    def _make_entries(self, manifests: Sequence[Manifest]) -> tuple[Entry, ...]:
        wish = self._wish
        return tuple(
            make_entry(each, version=wish.version, platforms=wish.platforms, image=wish.image)
            for each in manifests
            if isinstance(each, (Task, Pipeline))
        )

    def _write(self, entries: Sequence[Entry], services: Services, folder: Path) -> None:
        now = dt.datetime.fromtimestamp(services.clock.now(), dt.UTC)
        created = now.strftime("%Y-%m-%dT%H:%M:%SZ")
        files = render_catalogue(entries, created=created, known=_read_times(entries, folder))
        for path in write_folder(files, folder):
            click.echo(folder / path)

    async def _push(
        self, entries: Sequence[Entry], services: Services, target: RegistryLocation
    ) -> None:
        bundle = make_bundle(each.manifest for each in entries)
        repository = await services.open_target(target)
        await push_bundle(bundle, repository, tag=target.reference.tag)
        click.echo(f"{target.reference.repository}@{bundle.digest}")


def _read_times(entries: Sequence[Entry], folder: Path) -> dict[str, str]:
    """When the versions that are in ``folder`` already were first published.

    Raises InvalidDocument for a package file that does not say it.
    """
    times = {}
    for entry in entries:
        name = f"{entry.folder}/{PACKAGE_FILE}"
        if (folder / name).is_file():
            documents = read_documents(folder / name)
            if len(documents) != 1:
                raise InvalidDocument(
                    f"a package file is one document, and here are {len(documents)}",
                    path=str(folder / name),
                    hint="take the file of the published version again, or remove the folder",
                )
            times[name] = convert(documents[0], _Published).created_at
    return times


def _read_target(text: str) -> RegistryLocation:
    location = parse_location(text)
    if not isinstance(location, RegistryLocation) or not location.reference.tag:
        raise InputError(
            f"{text!r} is no place for a bundle", hint="write HOST/PATH:TAG of a registry"
        )
    return location
