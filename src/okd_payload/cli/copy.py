# SPDX-License-Identifier: Apache-2.0
"""``okd-payload copy``: one image or index, byte for byte, between any two places."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from okd_payload.cli.loop import run_async
from okd_payload.cli.output import output_option, print_document
from okd_payload.cli.progress import show_progress
from okd_payload.cli.registry_options import registry_options, registry_settings
from okd_payload.cli.services import open_services
from okd_payload.cli.settings import Settings
from okd_payload.errors import InputError
from okd_payload.oci.digest import Digest
from okd_payload.oci.location import Location, RegistryLocation, parse_location
from okd_payload.oci.reference import DEFAULT_TAG
from okd_payload.oci.registry import RegistrySettings
from okd_payload.oci.transfer import CopyOutcome, ImageCopy, copy_image


class PrintedCopy(msgspec.Struct, frozen=True, kw_only=True):
    """What was copied, as ``-o json`` prints it."""

    source: str
    target: str
    digest: Digest | None
    tag: str
    present: bool
    """Whether it was there already."""


@click.command()
@click.argument("source")
@click.argument("target")
@click.option("--referrers", is_flag=True, help="Also signatures and all else that refers to it.")
@registry_options
@output_option("json", "yaml")
@click.pass_obj
def copy(
    settings: Settings,
    /,
    source: str,
    target: str,
    output: str | None,
    *,
    referrers: bool,
    **options: Any,
) -> None:
    """Copy an image or index from SOURCE to TARGET, digests unchanged.

    Both are HOST/PATH[:TAG|@DIGEST] in a registry, oci:DIR[:TAG|@DIGEST] in a layout directory,
    or file://PATH[:TAG|@DIGEST] in the current directory, laid out like a registry. Without a
    tag of its own, TARGET gets the tag of SOURCE.
    """
    outcome = run_async(
        _copy(
            settings,
            parse_location(source),
            parse_location(target),
            referrers=referrers,
            registries=registry_settings(options),
        )
    )
    printed = PrintedCopy(
        source=f"{outcome.copy.source.name}@{outcome.digest}",
        target=f"{outcome.copy.destination.name}@{outcome.digest}",
        digest=outcome.digest,
        tag=outcome.copy.tag,
        present=outcome.was_present,
    )
    if output:
        print_document(printed, output)
    else:
        click.echo(printed.target)


async def _copy(
    settings: Settings,
    source: Location,
    target: Location,
    *,
    referrers: bool,
    registries: RegistrySettings,
) -> CopyOutcome:
    if target.digest:
        raise InputError(
            "a copy cannot be told its digest: it has that of its source",
            hint="name the target by a tag, or by its repository alone",
        )
    # A layout without a tag means its only image, a registry's repository means `latest`.
    default = DEFAULT_TAG if isinstance(source, RegistryLocation) else ""
    with show_progress(settings) as progress:
        async with open_services(settings, progress, registries=registries) as services:
            return await copy_image(
                ImageCopy(
                    source=await services.open_location(source),
                    reference=source.selector or default,
                    destination=await services.open_target(target),
                    tag=target.tag or source.tag,
                    referrers=referrers,
                ),
                progress=progress,
            )
