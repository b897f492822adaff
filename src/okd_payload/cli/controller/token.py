# SPDX-License-Identifier: Apache-2.0
"""``okd-payload controller token``: make, list and revoke tokens.

The first one is made directly on the database; it is printed once, alone on standard output, so
that it can go straight into a file.
"""

from __future__ import annotations

from typing import Any

import click
import msgspec

from okd_payload.cli.controller.asking import Request, ask, controller_options, take_choice
from okd_payload.cli.output import output_option, print_document, print_table
from okd_payload.cli.settings import Settings

_ROLES = ("reader", "verifier", "manager", "publisher", "administrator")


class TokenRow(msgspec.Struct, frozen=True, rename="camel"):
    """A token as tables show it."""

    id: str
    name: str
    roles: tuple[str, ...]
    created: str
    created_by: str
    expires: str = "never"
    used: str = "never"
    revoked: str = ""


class TokenRows(msgspec.Struct, frozen=True):
    """All of them."""

    items: tuple[TokenRow, ...]


class MadeToken(msgspec.Struct, frozen=True):
    """A new token, and what is shown."""

    token: TokenRow
    text: str


class WantedToken(msgspec.Struct, frozen=True):
    """What a new token is for."""

    name: str
    roles: tuple[str, ...]
    days: int


class Nothing(msgspec.Struct, frozen=True):
    """A request that says all in its path."""


@click.group()
def token() -> None:
    """Make, list and revoke the tokens that writing needs."""


@token.command()
@click.argument("name")
@click.option(
    "--role",
    "roles",
    type=click.Choice(_ROLES),
    multiple=True,
    required=True,
    help="What it opens. May be given several times.",
)
@click.option(
    "--days",
    type=click.IntRange(0, 3650),
    default=90,
    show_default=True,
    help="After how many days it ends; 0 is never.",
)
@controller_options
@output_option("json", "yaml")
@click.pass_obj
def create(
    settings: Settings,
    /,
    *,
    name: str,
    roles: tuple[str, ...],
    output: str | None,
    days: int,
    **options: Any,
) -> None:
    """Make a token for NAME, and print it: now and never again."""
    request = Request(path="/tokens", body=WantedToken(name, roles, days))
    made = ask(settings, take_choice(options), request, MadeToken)
    if output:
        print_document(made, output)
        return
    click.echo(made.text)
    click.echo(f"{made.token.id} ends: {made.token.expires}", err=True)


@token.command(name="list")
@controller_options
@output_option("json", "yaml")
@click.pass_obj
def list_command(settings: Settings, /, output: str | None, **options: Any) -> None:
    """Show all tokens: whose, for what, until when, and when they were last seen."""
    found = ask(settings, take_choice(options), Request(path="/tokens"), TokenRows).items
    if output:
        print_document(found, output)
        return
    print_table(
        ["id", "name", "roles", "created by", "expires", "last used", "revoked"],
        [
            [
                row.id,
                row.name,
                ", ".join(row.roles),
                row.created_by,
                row.expires,
                row.used,
                row.revoked or "-",
            ]
            for row in found
        ],
    )


@token.command()
@click.argument("id")
@controller_options
@click.pass_obj
def revoke(settings: Settings, /, id: str, **options: Any) -> None:  # noqa: A002 - the argument's name
    """End the token ID at once."""
    request = Request(path=f"/tokens/{id}/revoke", body=Nothing())
    revoked = ask(settings, take_choice(options), request, TokenRow)
    click.echo(f"{revoked.id}: revoked")
