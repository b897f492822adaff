# SPDX-License-Identifier: Apache-2.0
"""``okd-payload render shipwright``: a strategy and a Build for each component, as a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from okd_payload.cli.issues import print_issues, stop_on_issues
from okd_payload.cli.loop import run_async
from okd_payload.cli.option_groups import option_group
from okd_payload.cli.pod_options import credentials_option, image_option, trust_option
from okd_payload.cli.progress import show_progress
from okd_payload.cli.registry_options import registry_options, registry_settings
from okd_payload.cli.render.planning import plan_variants
from okd_payload.cli.services import open_services
from okd_payload.cli.settings import Settings
from okd_payload.cli.stream_options import (
    StreamOptions,
    repository_option,
    stream_options,
    take_stream_options,
)
from okd_payload.engines.manifests import write_folder
from okd_payload.engines.pod.accounts import REGISTRY_CREDENTIALS
from okd_payload.engines.pod.image import choose_image
from okd_payload.engines.pod.security import SecurityProfile
from okd_payload.engines.pod.tool import ToolSettings
from okd_payload.engines.shipwright.rendering import RenderSettings, render_folder
from okd_payload.errors import InputError
from okd_payload.oci.platform import host_platform, parse_platform

if TYPE_CHECKING:
    from okd_payload.engines.tekton.rendering import Variant
    from okd_payload.oci.registry import RegistrySettings

_PROFILES = (SecurityProfile.CAPABILITIES, SecurityProfile.PRIVILEGED)


_shipwright_options = option_group(
    stream_options,
    repository_option,
    click.option(
        "--to",
        required=True,
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="Write the files into this folder.",
    ),
    click.option(
        "--declared-edges",
        "declared",
        is_flag=True,
        help="Read definitions alone, and no Dockerfile: nothing is fetched.",
    ),
    image_option,
    credentials_option(REGISTRY_CREDENTIALS),
    trust_option,
    click.option(
        "--pod-security",
        type=click.Choice([profile.value for profile in _PROFILES]),
        default=SecurityProfile.CAPABILITIES.value,
        show_default=True,
        help="What build pods ask for: capabilities, or everything.",
    ),
    registry_options,
)


@click.command()
@_shipwright_options
@click.pass_obj
def shipwright(
    settings: Settings, /, to: Path, *, declared: bool, image: str, **options: Any
) -> None:
    """Write a build strategy and one Build for each component of STREAM, for kustomize.

    STREAM is a stream file or its folder; without it, stream.yaml of the current folder. Each
    Build is at the commit that its branch has now, or the lock says. Shipwright knows no order
    between Builds: buildrun-example.yaml says which come first. The same plan gives the same
    files.
    """
    tool = ToolSettings(
        image=choose_image(image),
        profile=SecurityProfile(options.pop("pod_security")),
        credentials=options.pop("credentials"),
        trust=options.pop("trust"),
        plain_http=tuple(sorted(options["plain_http"])),
    )
    registries = registry_settings(options)
    stream = take_stream_options(options)
    variant = run_async(_plan(settings, stream, registries, declared=declared))
    print_issues(variant.plan.issues, settings)
    stop_on_issues(variant.plan.issues, doing="anything was written")
    rendering = RenderSettings(
        repository=stream.repository or variant.publish.content,
        tool=tool,
        platform=parse_platform(stream.platform) if stream.platform else host_platform(),
    )
    if not rendering.repository:
        raise InputError(
            "nobody says where the images go",
            hint="name a registry repository with --repository, or as publish.content in the "
            "stream file",
        )
    for path in write_folder(render_folder(variant.plan, rendering), to):
        click.echo(to / path)


async def _plan(
    settings: Settings, options: StreamOptions, registries: RegistrySettings, *, declared: bool
) -> Variant:
    with show_progress(settings) as progress:
        async with open_services(settings, progress, registries=registries) as services:
            (variant,) = await plan_variants(services, options, (), declared=declared)
            return variant
