# SPDX-License-Identifier: Apache-2.0
"""``okd-payload release changelog``: what changed between two releases, in people's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from okd_payload.cli.loop import run_async
from okd_payload.cli.progress import show_progress
from okd_payload.cli.release.history_options import (
    Histories,
    history_options,
    read_changelog,
    show_bugs,
    show_changelog,
    take_histories,
)
from okd_payload.cli.release.locate import (
    ReleaseChoice,
    locate_release,
    release_choice_options,
    take_release_choice,
)
from okd_payload.cli.release.options import release_registry_options, release_registry_settings
from okd_payload.cli.services import open_services
from okd_payload.cli.settings import Settings
from okd_payload.errors import InputError

if TYPE_CHECKING:  # loads the HTTP client
    from okd_payload.oci.registry import RegistrySettings


@click.command()
@click.argument("old")
@click.argument("new")
@click.option(
    "--tickets", is_flag=True, help="List the tickets that the changes name, and their status."
)
@click.option("--skip-bug-check", is_flag=True, help="With --tickets: ask no tracker.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(("markdown", "text", "json", "yaml")),
    default="markdown",
    help="How to print it; markdown by default.",
)
@history_options
@release_choice_options
@release_registry_options
@click.pass_obj
def changelog(
    settings: Settings,
    /,
    old: str,
    new: str,
    output: str,
    *,
    tickets: bool,
    skip_bug_check: bool,
    **options: Any,
) -> int:
    """Tell what changed from release OLD to release NEW: components, images, merged changes.

    OLD and NEW are HOST/PATH[:TAG|@DIGEST], oci:DIR:TAG, folders with the files of a payload, or
    names of releases. The histories of the sources are read without cloning them. The exit code
    is 3 when the history of a source could not be read.
    """
    if skip_bug_check and not tickets:
        raise InputError("--skip-bug-check goes with --tickets")
    choice = take_release_choice(options)
    histories = take_histories(options)
    registries = release_registry_settings(options)
    job = _Job(settings, choice, histories, output=output, tickets=tickets, ask=not skip_bug_check)
    return run_async(job.run(old, new, registries))


class _Job:
    """One run of the command."""

    def __init__(
        self,
        settings: Settings,
        choice: ReleaseChoice,
        histories: Histories,
        *,
        output: str,
        tickets: bool,
        ask: bool,
    ) -> None:
        self._settings = settings
        self._choice = choice
        self._histories = histories
        self._output = output
        self._tickets = tickets
        self._ask = ask

    async def run(self, old: str, new: str, registries: RegistrySettings) -> int:
        with show_progress(self._settings) as progress:
            async with open_services(self._settings, progress, registries=registries) as services:
                before, after = [
                    (await locate_release(text, services, self._choice)).release
                    for text in (old, new)
                ]
                found = await read_changelog(
                    before, after, services=services, histories=self._histories
                )
                if self._tickets:
                    return await show_bugs(
                        found,
                        services=services,
                        output=self._output,
                        ask=self._ask,
                        bugs_only=False,
                    )
        return show_changelog(found, self._output)
