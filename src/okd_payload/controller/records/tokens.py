# SPDX-License-Identifier: Apache-2.0
"""Tokens of programs and people: what each may do, and never the token itself.

What is stored is the SHA-256 of a secret of 256 random bits. A slow hash protects passwords,
which people choose and others guess; nobody guesses 256 bits, and whoever may send requests
could keep a slow hash busy. A browser that signed in has a token of its own for some hours: it
opens what its parent opens, and nothing once that ends.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, delete, select, update

from okd_payload.controller.records.rows import from_row, put
from okd_payload.controller.records.tables import tokens


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one token."""

    id: str
    name: str
    """Whose it is, in logs and transitions."""
    roles: tuple[str, ...] = ()
    hash: str
    created: float
    created_by: str
    expires: float | None = None
    used: float | None = None
    """When it was last seen, to the minute."""
    revoked: float | None = None
    parent: str = ""
    """The token that a browser signed in with; empty for one that somebody made."""

    def is_valid(self, now: float) -> bool:
        """Whether it still opens anything."""
        return self.revoked is None and (self.expires is None or now < self.expires)


def write(connection: Connection, token: Token) -> None:
    """Write ``token``, new or changed."""
    put(connection, tokens, token)


def find(connection: Connection, identity: str) -> Token | None:
    """The token with this id."""
    row = connection.execute(select(tokens).where(tokens.c.id == identity)).one_or_none()
    return from_row(row, Token) if row is not None else None


def list_all(connection: Connection) -> list[Token]:
    """All tokens that somebody made, revoked and expired ones too, the oldest first."""
    wanted = select(tokens).where(tokens.c.parent == "")
    found = connection.execute(wanted.order_by(tokens.c.created, tokens.c.id))
    return [from_row(row, Token) for row in found]


def note_use(connection: Connection, identity: str, *, time: float) -> None:
    """Remember that the token was seen."""
    connection.execute(update(tokens).where(tokens.c.id == identity).values(used=time))


def remove(connection: Connection, identity: str) -> None:
    """Forget a token that was only made for one request or browser."""
    connection.execute(delete(tokens).where(tokens.c.id == identity))


def forget_sessions(connection: Connection, *, now: float) -> None:
    """Delete the tokens of browsers that have ended."""
    connection.execute(delete(tokens).where(tokens.c.parent != "", tokens.c.expires <= now))
