# SPDX-License-Identifier: Apache-2.0
"""``okd-payload controller webhook``: how webhooks fare, and having one told again.

They are added and removed through the interface for programs: their secrets belong into no
command line.
"""

from __future__ import annotations

from typing import Any

import click
import msgspec

from okd_payload.cli.controller.asking import Request, ask, controller_options, take_choice
from okd_payload.cli.output import escape_controls, output_option, print_document, print_table
from okd_payload.cli.settings import Settings


class WebhookRow(msgspec.Struct, frozen=True, rename="camel"):
    """A webhook as tables show it."""

    name: str
    url: str
    attempts: int
    message: str
    delivered: int
    position: int | None = None
    retry_at: str = ""
    disabled: str = ""

    @property
    def standing(self) -> str:
        """Whether it takes what it is told."""
        if self.disabled:
            return f"given up since {self.disabled}"
        if self.attempts:
            return f"{self.attempts} tries failed, the next at {self.retry_at or 'once'}"
        return "good" if self.position is not None else "new"

    @property
    def last(self) -> str:
        """The number of the last event that it knows."""
        return "-" if self.position is None else str(self.position)


class WebhookRows(msgspec.Struct, frozen=True):
    """All of them."""

    items: tuple[WebhookRow, ...]


class TryRow(msgspec.Struct, frozen=True):
    """A try as tables show it."""

    event: int
    kind: str
    attempt: int
    time: str
    seconds: float
    message: str
    status: int | None = None


class TryRows(msgspec.Struct, frozen=True):
    """All of them."""

    items: tuple[TryRow, ...]


class From(msgspec.Struct, frozen=True, omit_defaults=True):
    """From where a webhook is told: from where it was, or after an event."""

    after: int | None = None


@click.group()
def webhook() -> None:
    """Show how webhooks fare, and have them told again."""


@webhook.command(name="list")
@controller_options
@output_option("json", "yaml")
@click.pass_obj
def list_command(settings: Settings, /, output: str | None, **options: Any) -> None:
    """Show who is told of events, how far each has been told, and what stands in the way."""
    request = Request(path="/webhooks")
    if output:
        content = ask(settings, take_choice(options), request, msgspec.Raw)
        print_document(msgspec.json.decode(content)["items"], output)
        return
    found = ask(settings, take_choice(options), request, WebhookRows).items
    print_table(
        ["webhook", "address", "last event", "told of", "standing", "trouble"],
        [
            [row.name, row.url, row.last, str(row.delivered), row.standing, row.message or "-"]
            for row in found
        ],
    )


@webhook.command()
@click.argument("name")
@controller_options
@output_option("json", "yaml")
@click.pass_obj
def tries(settings: Settings, /, name: str, output: str | None, **options: Any) -> None:
    """Show what became of the last tries to tell NAME, the newest first."""
    request = Request(path=f"/webhooks/{name}/tries")
    found = ask(settings, take_choice(options), request, TryRows).items
    if output:
        print_document(found, output)
        return
    print_table(
        ["event", "kind", "time", "try", "answer", "took", "trouble"],
        [
            [
                str(row.event),
                row.kind,
                row.time,
                str(row.attempt),
                "-" if row.status is None else str(row.status),
                f"{row.seconds:.2f} s",
                row.message or "-",
            ]
            for row in found
        ],
    )


@webhook.command()
@click.argument("name")
@click.option(
    "--after",
    type=click.IntRange(0),
    metavar="NUMBER",
    help="Tell it what follows on this event; without, from where it was.",
)
@controller_options
@output_option("json", "yaml")
@click.pass_obj
def resume(
    settings: Settings, /, name: str, after: int | None, output: str | None, **options: Any
) -> None:
    """Have NAME told again at once, also after it was given up."""
    request = Request(path=f"/webhooks/{name}/resume", body=From(after))
    content = ask(settings, take_choice(options), request, msgspec.Raw)
    if output:
        print_document(msgspec.json.decode(content), output)
        return
    told = msgspec.json.decode(content, type=WebhookRow)
    click.echo(escape_controls(f"{told.name}: is told what follows on event {told.last}"))
