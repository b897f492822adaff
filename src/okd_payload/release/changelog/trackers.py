# SPDX-License-Identifier: Apache-2.0
"""The trackers that the field writes tickets in, and what they say about one.

Keys like ``OCPBUGS-1`` are Jira's, bare numbers are Bugzilla's. Both answer to everybody about
public tickets; a ticket that is not public, or a tracker that does not answer, leaves the status
unknown, with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from urllib.parse import quote

import msgspec

from okd_payload.errors import ContentError, OkdPayloadError
from okd_payload.oci.foreign_json import decode_json
from okd_payload.release.changelog.model import Ticket
from okd_payload.release.concurrency import map_concurrently
from okd_payload.release.go_text import align

FetchDocument = Callable[[str], Awaitable[bytes]]
"""Gives the document at an address. Raises OkdPayloadError."""

JIRA = "https://issues.redhat.com"
BUGZILLA = "https://bugzilla.redhat.com"

_BUG_PROJECTS = re.compile(r"OCPBUGSM?-[0-9]+")
_AT_ONCE = 4


class TicketStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What a tracker says about a ticket."""

    id: str
    url: str
    status: str = ""
    priority: str = ""
    summary: str = ""
    problem: str = ""
    """Why nothing is known, if that is so."""


class _Named(msgspec.Struct, frozen=True):
    name: str = ""


class _JiraFields(msgspec.Struct, frozen=True):
    summary: str = ""
    status: _Named | None = None
    priority: _Named | None = None


class _JiraIssue(msgspec.Struct, frozen=True):
    fields: _JiraFields = _JiraFields()


class _Bug(msgspec.Struct, frozen=True):
    summary: str = ""
    status: str = ""
    priority: str = ""


class _Bugs(msgspec.Struct, frozen=True):
    bugs: tuple[_Bug, ...] = ()


def is_bug(ticket: Ticket) -> bool:
    """Whether a ticket is about a fault, and not about planned work."""
    return ticket.is_bugzilla or bool(_BUG_PROJECTS.fullmatch(ticket.key))


def address_of(ticket: Ticket) -> str:
    """Where people read the ticket."""
    if ticket.is_bugzilla:
        return f"{BUGZILLA}/show_bug.cgi?id={ticket.key}"
    return f"{JIRA}/browse/{ticket.key}"


def unasked(tickets: Iterable[Ticket]) -> list[TicketStatus]:
    """The tickets without anything that only their tracker knows."""
    return [TicketStatus(id=ticket.key, url=address_of(ticket)) for ticket in tickets]


def describe_tickets(tickets: Iterable[TicketStatus]) -> str:
    """A line for each ticket, in columns."""
    rows = ["ID\tSTATUS\tPRIORITY\tSUMMARY"]
    rows += [
        f"{item.id}\t{item.status or 'Unknown'}\t{item.priority}\t{item.summary or item.problem}"
        for item in tickets
    ]
    return align(rows)


async def ask_trackers(tickets: Sequence[Ticket], fetch: FetchDocument) -> list[TicketStatus]:
    """What the trackers say about each of ``tickets``."""

    async def ask(ticket: Ticket) -> TicketStatus:
        status = TicketStatus(id=ticket.key, url=address_of(ticket))
        try:
            said = await _ask(ticket, fetch)
        except OkdPayloadError as error:
            return msgspec.structs.replace(status, problem=error.message)
        return msgspec.structs.replace(
            status, status=said.status, priority=said.priority, summary=said.summary
        )

    return await map_concurrently(ask, tickets, at_once=_AT_ONCE)


async def _ask(ticket: Ticket, fetch: FetchDocument) -> _Bug:
    if ticket.is_bugzilla:
        fields = "summary,status,priority"
        address = f"{BUGZILLA}/rest/bug?id={ticket.key}&include_fields={fields}"
        found = decode_json(await fetch(address), _Bugs, what=f"the answer about {ticket.key}")
        if not found.bugs:
            raise ContentError(f"the tracker knows no bug {ticket.key}")
        return found.bugs[0]
    address = f"{JIRA}/rest/api/2/issue/{quote(ticket.key)}?fields=summary,status,priority"
    said = decode_json(await fetch(address), _JiraIssue, what=f"the answer about {ticket.key}")
    fields_said = said.fields
    return _Bug(
        summary=fields_said.summary,
        status=fields_said.status.name if fields_said.status else "",
        priority=fields_said.priority.name if fields_said.priority else "",
    )
