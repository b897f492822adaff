# SPDX-License-Identifier: Apache-2.0
"""What trackers say about tickets."""

from __future__ import annotations

from okd_payload.errors import NotFound
from okd_payload.release.changelog.model import Ticket
from okd_payload.release.changelog.trackers import (
    ask_trackers,
    describe_tickets,
    is_bug,
    unasked,
)

JIRA = "https://issues.redhat.com/rest/api/2/issue"
BUGZILLA = "https://bugzilla.redhat.com/rest/bug"


async def fetch(address):
    """The answers of two trackers."""
    answers = {
        f"{JIRA}/OCPBUGS-1?fields=summary,status,priority": b'{"fields": {"summary": "It breaks",'
        b' "status": {"name": "Verified"}, "priority": null, "more": 1}}',
        f"{BUGZILLA}?id=5&include_fields=summary,status,priority": b'{"bugs": [{"id": 5,'
        b' "summary": "Old", "status": "CLOSED", "priority": "low"}]}',
        f"{BUGZILLA}?id=6&include_fields=summary,status,priority": b'{"bugs": []}',
        f"{JIRA}/OCPBUGS-2?fields=summary,status,priority": b"<html>",
    }
    if address not in answers:
        raise NotFound(f"{address}: 404")
    return answers[address]


async def test_each_tracker_is_asked_in_its_own_way():
    """Status, priority and summary come from Jira and from Bugzilla."""
    found = await ask_trackers([Ticket("OCPBUGS-1"), Ticket("5")], fetch)
    assert describe_tickets(found) == (
        "ID        STATUS   PRIORITY SUMMARY\n"
        "OCPBUGS-1 Verified          It breaks\n"
        "5         CLOSED   low      Old\n"
    )


async def test_what_is_not_known_says_why():
    """Tickets that are not there, or whose tracker answers nonsense, are listed all the same."""
    tickets = [Ticket("OCPBUGS-9"), Ticket("6"), Ticket("OCPBUGS-2")]
    found = await ask_trackers(tickets, fetch)
    assert [item.id for item in found] == ["OCPBUGS-9", "6", "OCPBUGS-2"]
    assert all(item.problem and not item.status for item in found)
    assert "Unknown" in describe_tickets(found)


def test_only_faults_are_bugs():
    """Planned work has tickets too, in other projects."""
    tickets = [Ticket(key) for key in ("5", "OCPBUGS-1", "OCPBUGSM-1", "MCO-1")]
    assert [ticket.key for ticket in tickets if is_bug(ticket)] == ["5", "OCPBUGS-1", "OCPBUGSM-1"]


def test_addresses_are_known_without_asking():
    """People get links even where nobody asks a tracker."""
    assert [item.url for item in unasked([Ticket("5"), Ticket("A1-2")])] == [
        "https://bugzilla.redhat.com/show_bug.cgi?id=5",
        "https://issues.redhat.com/browse/A1-2",
    ]
