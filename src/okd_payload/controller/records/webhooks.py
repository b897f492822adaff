# SPDX-License-Identifier: Apache-2.0
"""Who is told of events over HTTP, and how far each of them has been told.

What is told is the log of events itself, read on from a position: nothing is queued twice, and
a webhook that comes back after a week goes on where it was.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, delete, select

from okd_payload.controller.records.rows import from_row, put
from okd_payload.controller.records.tables import webhook_progress, webhooks


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """One address that wants to know."""

    name: str
    url: str
    secret: str
    """Signs what is sent, so it is kept as it is; no answer has it."""
    kinds: tuple[str, ...] = ()
    """Globs of the kinds of events; all without."""
    streams: tuple[str, ...] = ()
    """Names of streams; all without."""
    created: float = 0.0
    created_by: str = ""


class WebhookProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a webhook has been told."""

    name: str
    position: int = 0
    """The number of the last event that it knows, or never will."""
    attempts: int = 0
    """How often the next one was tried already."""
    retry_at: float | None = None
    message: str = ""
    """Why the last try failed; empty after one that did not."""
    delivered: int = 0
    dropped: int = 0
    """How many events were given up."""


def write(connection: Connection, webhook: Webhook) -> None:
    """Write ``webhook``, new or changed."""
    put(connection, webhooks, webhook)


def remove(connection: Connection, name: str) -> None:
    """Forget a webhook and how far it was."""
    connection.execute(delete(webhooks).where(webhooks.c.name == name))
    connection.execute(delete(webhook_progress).where(webhook_progress.c.name == name))


def list_all(connection: Connection) -> list[Webhook]:
    """All webhooks, by name."""
    found = connection.execute(select(webhooks).order_by(webhooks.c.name))
    return [from_row(row, Webhook) for row in found]


def write_progress(connection: Connection, progress: WebhookProgress) -> None:
    """Remember how far a webhook is."""
    put(connection, webhook_progress, progress)


def read_progress(connection: Connection) -> dict[str, WebhookProgress]:
    """How far each webhook is, by name; those that were never told anything are not in it."""
    found = (from_row(row, WebhookProgress) for row in connection.execute(select(webhook_progress)))
    return {each.name: each for each in found}
