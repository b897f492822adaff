# SPDX-License-Identifier: Apache-2.0
"""How histories of sources are read for changelogs, shared by the commands that show them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from okd_payload.cli.option_groups import option_group
from okd_payload.cli.output import escape_controls, print_document
from okd_payload.cli.release.options import print_go_json
from okd_payload.cli.services import Services
from okd_payload.release.changelog.collect import make_changelog
from okd_payload.release.changelog.document import print_changelog
from okd_payload.release.changelog.forge_history import ForgeHistory
from okd_payload.release.changelog.markdown import write_markdown
from okd_payload.release.changelog.model import Changelog
from okd_payload.release.changelog.text import write_text
from okd_payload.release.changelog.trackers import (
    TicketStatus,
    ask_trackers,
    describe_tickets,
    is_bug,
    unasked,
)
from okd_payload.release.load import Release
from okd_payload.source.history import GitHistory, History

_TOKEN = "GITHUB_TOKEN"  # noqa: S105 - the name of the variable, not what is in it
_ANSWER_BYTES = 32 * 1024 * 1024


class Histories(msgspec.Struct, frozen=True, kw_only=True):
    """Where histories are read: copies in a folder, or a forge's API where it has one."""

    folder: Path | None = None
    """None takes the cache."""
    compare_api: bool = False


history_options = option_group(
    click.option(
        "--git",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="Folder for copies of histories, instead of the cache.",
    ),
    click.option(
        "--compare-api",
        is_flag=True,
        help=f"Ask GitHub's API instead of git where it can tell; {_TOKEN} says who asks.",
    ),
)
"""Options of a command that reads histories; see ``take_histories``."""


def take_histories(options: dict[str, Any]) -> Histories:
    """Take the values of ``history_options`` out of ``options``."""
    return Histories(folder=options.pop("git"), compare_api=options.pop("compare_api"))


async def read_changelog(
    before: Release, after: Release, *, services: Services, histories: Histories
) -> Changelog:
    """What changed from ``before`` to ``after``."""
    history: History = GitHistory(
        histories.folder or services.locations.git, clock=services.clock, progress=services.tell
    )
    if histories.compare_api:
        token = os.environ.get("GITHUB_TOKEN", "")

        async def fetch(address: str) -> bytes:
            return await services.fetch_document(address, limit=_ANSWER_BYTES, token=token)

        history = ForgeHistory(fetch, otherwise=history)
    return await make_changelog(before, after, history=history, progress=services.tell)


def show_changelog(changelog: Changelog, output: str) -> int:
    """Print ``changelog`` as markdown, text, json or yaml; 3 when a history is missing in it."""
    if output == "text":
        click.echo(escape_controls(write_text(changelog), keep_lines=True), nl=False)
    elif output == "markdown":
        click.echo(escape_controls(write_markdown(changelog), keep_lines=True), nl=False)
    else:
        print_go_json(print_changelog(changelog), output)
    return 3 if any(source.problem for source in changelog.updated) else 0


async def show_bugs(
    changelog: Changelog, *, services: Services, output: str, ask: bool, bugs_only: bool = True
) -> int:
    """Print the tickets that ``changelog`` names, and what their trackers say of them."""
    tickets = [ticket for ticket in changelog.tickets if is_bug(ticket) or not bugs_only]

    async def fetch(address: str) -> bytes:
        return await services.fetch_document(address, limit=_ANSWER_BYTES)

    found = await ask_trackers(tickets, fetch) if ask else unasked(tickets)
    _print_tickets(found, output)
    incomplete = any(ticket.problem for ticket in found)
    return 3 if incomplete or any(source.problem for source in changelog.updated) else 0


def _print_tickets(tickets: Sequence[TicketStatus], output: str) -> None:
    if output in ("json", "yaml"):
        print_document(tickets, output)
    elif output == "name":
        for ticket in tickets:
            click.echo(escape_controls(ticket.id))
    else:
        click.echo(escape_controls(describe_tickets(tickets), keep_lines=True), nl=False)
