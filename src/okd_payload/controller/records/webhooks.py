# SPDX-License-Identifier: Apache-2.0
"""Who is told of events over HTTP, and how far each of them has been told.

What is told is the log of events itself, read on from a position: nothing is queued twice, and
a webhook that comes back after a week goes on where it was. The last tries of each are kept, for
whoever has to find out why nothing arrives.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, delete, insert, select

from okd_payload.controller.records import events
from okd_payload.controller.records.rows import from_row, from_rows, put, to_row
from okd_payload.controller.records.tables import webhook_progress, webhook_tries, webhooks

KEPT_TRIES = 50
"""Of each webhook."""


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
    """The number of the last event that it knows, or does not want."""
    attempts: int = 0
    """How often the next one was tried already."""
    retry_at: float | None = None
    message: str = ""
    """Why the last try failed; empty after one that did not."""
    delivered: int = 0
    disabled: float | None = None
    """When it was given up; it is told nothing until somebody says so."""


class WebhookTry(msgspec.Struct, frozen=True, kw_only=True):
    """One try to tell a webhook of an event."""

    name: str
    event: int
    kind: str
    attempt: int
    time: float
    seconds: float
    status: int | None = None
    """What it answered; None where it did not."""
    message: str = ""
    """Why it failed; empty when it did not."""


class KnownWebhooks(msgspec.Struct, frozen=True, kw_only=True):
    """Those that were added, and how far each is, at one moment."""

    added: tuple[Webhook, ...]
    progress: dict[str, WebhookProgress]
    """By name; those that were never told anything are not in it."""
    last: int
    """The number of the newest event."""


def write(connection: Connection, webhook: Webhook) -> WebhookProgress:
    """Write ``webhook``; how far it is: a new one hears from now on, others where they were."""
    put(connection, webhooks, webhook)
    known = resume(connection, webhook.name)
    if known is not None:
        return known
    begun = WebhookProgress(name=webhook.name, position=events.last_number(connection))
    write_progress(connection, begun)
    return begun


def remove(connection: Connection, name: str) -> None:
    """Forget a webhook and how far it was."""
    connection.execute(delete(webhooks).where(webhooks.c.name == name))
    forget_progress(connection, name)


def forget_progress(connection: Connection, name: str) -> None:
    """Forget how far a webhook was, and its tries."""
    connection.execute(delete(webhook_progress).where(webhook_progress.c.name == name))
    connection.execute(delete(webhook_tries).where(webhook_tries.c.name == name))


def list_all(connection: Connection) -> list[Webhook]:
    """All webhooks that were added, by name."""
    found = connection.execute(select(webhooks).order_by(webhooks.c.name))
    return [from_row(row, Webhook) for row in found]


def read_known(connection: Connection) -> KnownWebhooks:
    """All of them, at one moment."""
    return KnownWebhooks(
        added=tuple(list_all(connection)),
        progress=read_progress(connection),
        last=events.last_number(connection),
    )


def write_progress(connection: Connection, progress: WebhookProgress) -> None:
    """Remember how far a webhook is."""
    put(connection, webhook_progress, progress)


def read_progress(connection: Connection) -> dict[str, WebhookProgress]:
    """How far each webhook is, by name; those that were never told anything are not in it."""
    found = (from_row(row, WebhookProgress) for row in connection.execute(select(webhook_progress)))
    return {each.name: each for each in found}


def resume(
    connection: Connection, name: str, *, after: int | None = None
) -> WebhookProgress | None:
    """Let a webhook be told again at once: from where it was, or from what follows on ``after``.

    None where it was never told anything and ``after`` is not said.
    """
    known = read_progress(connection).get(name)
    if known is None and after is None:
        return None
    found = known or WebhookProgress(name=name)
    progress = msgspec.structs.replace(
        found,
        position=found.position if after is None else after,
        attempts=0,
        retry_at=None,
        disabled=None,
    )
    write_progress(connection, progress)
    return progress


def advance(
    connection: Connection,
    before: WebhookProgress,
    after: WebhookProgress,
    tried: WebhookTry | None = None,
) -> bool:
    """Remember that a webhook went on from ``before`` to ``after``, by the try ``tried``.

    False, and nothing is written, where somebody else has moved or removed it meanwhile.
    """
    if read_progress(connection).get(before.name) != before:
        return False
    write_progress(connection, after)
    if tried is not None:
        connection.execute(insert(webhook_tries).values(to_row(tried)))
        mine = webhook_tries.c.name == tried.name
        kept = select(webhook_tries.c.id).where(mine).order_by(webhook_tries.c.id.desc())
        oldest = connection.execute(kept.offset(KEPT_TRIES - 1).limit(1)).scalar()
        if oldest is not None:
            connection.execute(delete(webhook_tries).where(mine, webhook_tries.c.id < oldest))
    return True


def read_tries(connection: Connection, name: str) -> list[WebhookTry]:
    """The last tries of a webhook, the newest first."""
    columns = [column for column in webhook_tries.c if column.name != "id"]
    wanted = select(*columns).where(webhook_tries.c.name == name)
    return from_rows(connection.execute(wanted.order_by(webhook_tries.c.id.desc())), WebhookTry)
