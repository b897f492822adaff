# SPDX-License-Identifier: Apache-2.0
"""``okd-payload render tekton``: Tasks and a Pipeline for each stream, as a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from okd_payload.cli.issues import print_issues, stop_on_issues
from okd_payload.cli.loop import run_async
from okd_payload.cli.pod_options import (
    git_credentials_option,
    image_option,
    pod_security_option,
    trust_option,
)
from okd_payload.cli.progress import show_progress
from okd_payload.cli.registry_options import registry_options, registry_settings
from okd_payload.cli.render.planning import plan_variants
from okd_payload.cli.services import open_services
from okd_payload.cli.settings import Settings
from okd_payload.cli.stream_options import StreamOptions, stream_options, take_stream_options
from okd_payload.engines.manifests import write_folder
from okd_payload.engines.pod.image import choose_image
from okd_payload.engines.pod.security import SecurityProfile
from okd_payload.engines.pod.tool import ToolSettings
from okd_payload.engines.tekton.rendering import RenderSettings, Variant, render_folder
from okd_payload.engines.tekton.rendering.folder import CUSTOM_FILE
from okd_payload.engines.tekton.triggers.settings import StreamSource, read_source
from okd_payload.errors import InputError

if TYPE_CHECKING:
    from okd_payload.oci.registry import RegistrySettings


@click.command()
@stream_options
@click.option(
    "--to",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write the files into this folder.",
)
@click.option(
    "--variant",
    "variants",
    multiple=True,
    metavar="NAME",
    help="Render the stream NAME beside STREAM, as an overlay of its own.",
)
@click.option(
    "--declared-edges",
    "declared",
    is_flag=True,
    help="Read definitions alone, and no Dockerfile: nothing is fetched.",
)
@click.option(
    "--source",
    default="",
    metavar="URL[@REF]",
    help="The git repository that runs take the stream from.",
)
@click.option(
    "--source-folder", default="", metavar="DIR", help="The folder of the stream file in it."
)
@image_option
@git_credentials_option
@trust_option
@pod_security_option
@registry_options
@click.pass_obj
def tekton(
    settings: Settings,
    /,
    to: Path,
    variants: tuple[str, ...],
    *,
    declared: bool,
    **options: Any,
) -> None:
    """Write Tasks and a Pipeline for STREAM, as a base with overlays for kustomize.

    STREAM is a stream file or its folder; without it, stream.yaml of the current folder. With
    --variant, the folder that has the streams NAME/stream.yaml, variants/NAME/stream.yaml or
    NAME.yaml. Hosts of --plain-http are spoken to so by pods, too. The same plan gives the same
    files; overlays/custom is yours, and is kept when it is there.
    """
    rendering = _read_settings(options)
    registries = registry_settings(options)
    stream = take_stream_options(options)
    found = run_async(_plan(settings, stream, variants, registries=registries, declared=declared))
    for variant in found:
        print_issues(variant.plan.issues, settings)
        stop_on_issues(variant.plan.issues, doing="anything was written")
    files = render_folder(found, rendering, custom=not (to / CUSTOM_FILE).exists())
    for path in write_folder(files, to):
        click.echo(to / path)


def _read_settings(options: dict[str, Any]) -> RenderSettings:
    """What the options say about pods, taken out of them. Raises InputError."""
    source, folder = options.pop("source"), options.pop("source_folder")
    if folder and not source:
        raise InputError(
            "--source-folder is a folder of the repository of --source",
            hint="name the repository too, or leave the folder away",
        )
    repository = read_source(source, folder=folder) if source else StreamSource(url="")
    return RenderSettings(
        tool=ToolSettings(
            image=choose_image(options.pop("image")),
            profile=SecurityProfile(options.pop("pod_security")),
            git_credentials=options.pop("git_credentials"),
            trust=options.pop("trust"),
            plain_http=tuple(sorted(options["plain_http"])),
        ),
        source_url=repository.url,
        source_ref=repository.ref or "main",
        source_path=repository.folder,
    )


async def _plan(
    settings: Settings,
    options: StreamOptions,
    variants: tuple[str, ...],
    *,
    registries: RegistrySettings,
    declared: bool,
) -> tuple[Variant, ...]:
    with show_progress(settings) as progress:
        async with open_services(settings, progress, registries=registries) as services:
            return await plan_variants(services, options, variants, declared=declared)
