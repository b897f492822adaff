# SPDX-License-Identifier: Apache-2.0
"""``okd-payload controller streams|releases|show|events``: what a controller knows."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from okd_payload.cli.controller.asking import Request, ask, controller_options, take_choice
from okd_payload.cli.output import escape_controls, output_option, print_document, print_table
from okd_payload.cli.settings import Settings

_PHASES = ("Pending", "Ready", "Accepted", "Rejected", "Failed")
_limit = click.option(
    "--limit", type=click.IntRange(1, 200), default=20, show_default=True, help="How many."
)


class Named(msgspec.Struct, frozen=True):
    """A release as tables show it."""

    name: str
    stream: str
    phase: str
    created: str
    message: str = ""
    kept: bool = False
    withdrawn: str = ""

    @property
    def standing(self) -> str:
        """Its phase, and what somebody decided besides."""
        return tell_standing(self.phase, kept=self.kept, withdrawn=self.withdrawn)


class StreamRow(msgspec.Struct, frozen=True, rename="camel"):
    """A stream as tables show it."""

    name: str
    health: str
    waiting: str
    error: str
    paused: str = ""
    paused_by: str = ""
    newest: Named | None = None
    accepted: Named | None = None

    @property
    def why(self) -> str:
        """Why nothing is new, or a dash."""
        if self.paused and not self.error:
            by = f" by {self.paused_by}" if self.paused_by else ""
            return f"paused{by}: {self.paused}"
        return self.error or self.waiting or "-"


class EventRow(msgspec.Struct, frozen=True):
    """An event as tables show it."""

    number: int
    time: str
    kind: str
    stream: str
    release: str
    actor: str
    message: str


class RunRow(msgspec.Struct, frozen=True):
    """A run as tables show it."""

    id: str
    verification: str
    state: str
    message: str = ""


class Shown(msgspec.Struct, frozen=True):
    """A release with its runs."""

    release: Named
    runs: tuple[RunRow, ...] = ()


class Items(msgspec.Struct, frozen=True):
    """A list of anything."""

    items: tuple[msgspec.Raw, ...]


@click.command()
@controller_options
@output_option("json", "yaml")
@click.pass_obj
def streams(settings: Settings, /, output: str | None, **options: Any) -> None:
    """Show the release streams: health, newest and last accepted release, why nothing is new."""
    found = _items(settings, Request(path="/streams"), options)
    if output:
        print_document(_plain(found), output)
        return
    rows = [msgspec.json.decode(item, type=StreamRow) for item in found]
    print_table(
        ["stream", "health", "newest", "accepted", "why nothing is new"],
        [
            [
                row.name,
                row.health,
                f"{row.newest.name} ({row.newest.phase})" if row.newest else "-",
                row.accepted.name if row.accepted else "-",
                row.why,
            ]
            for row in rows
        ],
    )


@click.command()
@click.option("--stream", default="", metavar="NAME", help="Only releases of this stream.")
@click.option("--phase", type=click.Choice(_PHASES), help="Only in this phase.")
@click.option("--text", default="", metavar="TEXT", help="Only with this in their name.")
@_limit
@controller_options
@output_option("json", "yaml")
@click.pass_obj
def releases(
    settings: Settings,
    /,
    output: str | None,
    limit: int,
    **options: Any,
) -> None:
    """Show releases, the newest first."""
    query = {name: options.pop(name) or "" for name in ("stream", "phase", "text")}
    request = Request(path="/releases", query={**query, "limit": str(limit)})
    choice = take_choice(options)
    found = ask(settings, choice, request, Items).items
    if not found and query["stream"]:  # none of it, or no such stream, which is an error
        ask(settings, choice, Request(path=f"/streams/{query['stream']}"), msgspec.Raw)
    if output:
        print_document(_plain(found), output)
        return
    rows = [msgspec.json.decode(item, type=Named) for item in found]
    print_table(
        ["release", "stream", "phase", "created", "message"],
        [[row.name, row.stream, row.phase, row.created, row.message] for row in rows],
    )


@click.command()
@click.argument("release")
@controller_options
@output_option("json", "yaml")
@click.pass_obj
def show(settings: Settings, /, release: str, output: str | None, **options: Any) -> None:
    """Show RELEASE: its phase and why, and its runs. With -o, everything that is recorded."""
    request = Request(path=f"/releases/{release}")
    content = ask(settings, take_choice(options), request, msgspec.Raw)
    if output:
        print_document(msgspec.json.decode(content), output)
        return
    shown = msgspec.json.decode(content, type=Shown)
    told = shown.release
    click.echo(escape_controls(f"{told.name}: {told.standing}"))
    if told.message:
        click.echo(escape_controls(told.message))
    if shown.runs:
        rows = [[run.id, run.verification, run.state, run.message] for run in shown.runs]
        print_table(["run", "verification", "state", "message"], rows)


@click.command()
@click.option("--stream", default="", metavar="NAME", help="Only events of this stream.")
@click.option("--release", default="", metavar="NAME", help="Only events of this release.")
@_limit
@controller_options
@output_option("json", "yaml")
@click.pass_obj
def events(settings: Settings, /, output: str | None, limit: int, **options: Any) -> None:
    """Show what happened, the newest first."""
    query = {name: options.pop(name) for name in ("stream", "release")}
    found = _items(
        settings, Request(path="/history", query={**query, "limit": str(limit)}), options
    )
    if output:
        print_document(_plain(found), output)
        return
    rows = [msgspec.json.decode(item, type=EventRow) for item in found]
    print_table(
        ["number", "time", "kind", "stream", "release", "who", "message"],
        [
            [str(row.number), row.time, row.kind, row.stream, row.release, row.actor, row.message]
            for row in rows
        ],
    )


def tell_standing(phase: str, *, kept: bool, withdrawn: str) -> str:
    """The phase of a release, and whether it is withdrawn or kept."""
    said = [phase]
    said += [f"withdrawn since {withdrawn}"] if withdrawn else []
    said += ["kept"] if kept else []
    return ", ".join(said)


def _items(
    settings: Settings, request: Request, options: dict[str, Any]
) -> tuple[msgspec.Raw, ...]:
    return ask(settings, take_choice(options), request, Items).items


def _plain(items: tuple[msgspec.Raw, ...]) -> list[Any]:
    return [msgspec.json.decode(item) for item in items]
