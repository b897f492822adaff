# SPDX-License-Identifier: Apache-2.0
"""What changed between two releases, as values that every layout is made from.

They know neither how they are shown nor where histories were read. What could not be found out is
part of them (``gone``, ``problem``), so that a changelog with gaps is still a changelog.
"""

from __future__ import annotations

from datetime import datetime

import msgspec


class Ticket(msgspec.Struct, frozen=True, order=True):
    """An entry of a tracker that a change says it is about: a Jira key or a Bugzilla number."""

    key: str

    @property
    def is_bugzilla(self) -> bool:
        """Whether this is a number of Bugzilla rather than a key of Jira."""
        return self.key.isdecimal()


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change that somebody proposed and somebody merged."""

    commit: str
    time: int
    """When it was merged, seconds since the epoch."""
    subject: str
    """What it says it does, without tickets and marks."""
    tickets: tuple[Ticket, ...] = ()
    request: int = 0
    """The number of the pull or merge request; 0 when there was none."""


class SourceChange(msgspec.Struct, frozen=True, kw_only=True):
    """A repository that moved from one commit to another, and the images that are built of it."""

    images: tuple[str, ...]
    location: str
    before: str
    after: str


class UpdatedSource(msgspec.Struct, frozen=True, kw_only=True):
    """A repository that moved, and what happened on the way."""

    source: SourceChange
    changes: tuple[Change, ...] = ()
    """Newest first."""
    elided: int = 0
    """Commits without a request of their own, and so without words worth repeating."""
    left_behind: int = 0
    """Commits that were in the older release and are not in the newer one."""
    gone: str = ""
    """The commit that its repository no longer has."""
    problem: str = ""
    """Why its history could not be read."""


class NamedImage(msgspec.Struct, frozen=True, kw_only=True):
    """An image of a release, and where it comes from."""

    name: str
    location: str = ""
    commit: str = ""
    digest: str = ""


class VersionChange(msgspec.Struct, frozen=True, kw_only=True):
    """The version of one component; empty on the side where it is not reported."""

    name: str
    before: str
    after: str


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What a release is called."""

    name: str
    created: datetime | None = None
    digest: str = ""
    promoted_from: str = ""
    """The release that it was made of, when it says so."""


class GateChange(msgspec.Struct, frozen=True, kw_only=True):
    """A feature gate whose state changed for somebody; a state for each column of the table."""

    name: str
    states: tuple[str, ...]


class GateTable(msgspec.Struct, frozen=True, kw_only=True):
    """The feature gates that changed, for the clusters that the columns name."""

    columns: tuple[str, ...] = ()
    gates: tuple[GateChange, ...] = ()


class Changelog(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that changed between two releases."""

    before: Head
    after: Head
    versions: tuple[VersionChange, ...] = ()
    gates: GateTable = GateTable()
    added: tuple[NamedImage, ...] = ()
    removed: tuple[NamedImage, ...] = ()
    rebuilt: tuple[NamedImage, ...] = ()
    updated: tuple[UpdatedSource, ...] = ()

    @property
    def tickets(self) -> tuple[Ticket, ...]:
        """Every ticket that any change names, Bugzilla's numbers first, each once."""
        found = {
            ticket
            for source in self.updated
            for change in source.changes
            for ticket in change.tickets
        }
        return tuple(sorted(found, key=ticket_order))


def ticket_order(ticket: Ticket) -> tuple[str, int]:
    """By project, then by number, as people count."""
    project, _, number = ticket.key.rpartition("-")
    return project, int(number)
