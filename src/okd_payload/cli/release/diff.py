# SPDX-License-Identifier: Apache-2.0
"""``okd-payload release diff``: everything in which two releases differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from okd_payload.cli.loop import run_async
from okd_payload.cli.output import escape_controls, output_option, print_document
from okd_payload.cli.release.locate import (
    ReleaseChoice,
    locate_release,
    release_choice_options,
    take_release_choice,
)
from okd_payload.cli.release.options import (
    release_registry_options,
    release_registry_settings,
    tell_progress,
)
from okd_payload.cli.services import open_services
from okd_payload.cli.settings import Settings
from okd_payload.release.report.difference import (
    Difference,
    describe_difference,
    find_difference,
)

if TYPE_CHECKING:  # loads the HTTP client
    from okd_payload.oci.registry import RegistrySettings


@click.command()
@click.argument("old")
@click.argument("new")
@click.option("-u", "--unified", is_flag=True, help="Also the lines of manifests that changed.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 when anything differs.")
@release_choice_options
@release_registry_options
@output_option("json", "yaml")
@click.pass_obj
def diff(
    settings: Settings,
    /,
    old: str,
    new: str,
    output: str | None,
    *,
    unified: bool,
    exit_code: bool,
    **options: Any,
) -> int:
    """Show in what release NEW differs from release OLD: images, versions, manifests.

    OLD and NEW are HOST/PATH[:TAG|@DIGEST], oci:DIR:TAG, folders with the files of a payload, or
    names of releases. With -o the unified diff of every manifest is part of the document.
    """
    choice = take_release_choice(options)
    registries = release_registry_settings(options)
    difference = run_async(_compare(settings, (old, new), choice, registries))
    if output:
        print_document(difference, output)
    else:
        text = describe_difference(difference, unified=unified)
        click.echo(escape_controls(text, keep_lines=True), nl=False)
    return 1 if exit_code and not difference.is_empty else 0


async def _compare(
    settings: Settings,
    releases: tuple[str, str],
    choice: ReleaseChoice,
    registries: RegistrySettings,
) -> Difference:
    async with open_services(settings, tell_progress(settings), registries=registries) as services:
        before, after = [
            (await locate_release(text, services, choice)).release for text in releases
        ]
    return find_difference(before, after)
