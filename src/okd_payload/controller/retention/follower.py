# SPDX-License-Identifier: Apache-2.0
"""Carrying out the fates of releases after each pass.

What is done is decided in the unit of work that does it, so that nobody can begin to need a
release between the two. A release is withdrawn first, and told; when its grace is over its record
goes, with a line of what it leaves behind, and then that is removed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec
from sqlalchemy import Connection

from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.controller.model import Event, Release
from okd_payload.controller.reconciling.actions import Action, CleanUp, Delete, Taken, Withdraw
from okd_payload.controller.records import approvals, events, releases, removals, runs, uses
from okd_payload.controller.records.removals import Removal
from okd_payload.controller.retention.cleaning import Cleaner
from okd_payload.controller.retention.deciding import Step
from okd_payload.controller.retention.reading import Fates, read_due
from okd_payload.controller.surroundings import Surroundings

Write = Callable[[Callable[[Connection], None]], Awaitable[None]]

_MOST_AT_ONCE = 20
"""Removals that one pass cleans up after, so that it stays short."""


class Cleans(Protocol):
    """Removes what deleted releases left: ``Cleaner``, or what stands in for it."""

    async def clean(self, removal: Removal) -> Removal:
        """Remove what can be; what is left is in the answer."""
        ...


class RetentionFollower:
    """Withdraws and deletes releases; implements ``service.Follower``."""

    def __init__(
        self, surroundings: Surroundings, *, write: Write, cleaner: Cleans | None = None
    ) -> None:
        self._surroundings = surroundings
        self._write = write
        self._cleaner = cleaner or Cleaner(surroundings, write=write)

    async def advance(self, configuration: StreamConfiguration) -> float | None:
        """Do what is due; when to be called again at the latest."""
        fates = await self.preview(configuration)
        if fates.due(Step.WITHDRAW) or fates.due(Step.DELETE):
            done: list[Action] = []
            await self._write(lambda unit: self._carry_out(unit, configuration, done))
            self._tell(configuration, *done)
            fates = await self.preview(configuration)
        now = self._surroundings.clock.now()
        left = await self._surroundings.database.read(
            lambda unit: removals.list_of(unit, configuration.name, undone=True)
        )
        due = [each for each in left if each.retry_at is None or each.retry_at <= now]
        for removal in due[:_MOST_AT_ONCE]:
            self._tell(configuration, CleanUp(release=removal.release, reason=_tell_left(removal)))
            await self._cleaner.clean(removal)
        wakes = [each.retry_at for each in left if each.retry_at is not None]
        wakes += [now] if len(due) > _MOST_AT_ONCE else []
        wakes += [fate.expires for fate in fates.by_name.values() if fate.expires is not None]
        return min((wake for wake in wakes if wake > now), default=None)

    async def preview(self, configuration: StreamConfiguration) -> Fates:
        """What becomes of each release that may go; nothing is written."""
        return await self._surroundings.database.read(lambda unit: self._read(unit, configuration))

    def _read(self, unit: Connection, configuration: StreamConfiguration) -> Fates:
        return read_due(
            unit,
            configuration,
            configurations=self._surroundings.configurations(),
            now=self._surroundings.clock.now(),
        )

    def _tell(self, configuration: StreamConfiguration, *taken: Action) -> None:
        for action in taken:
            self._surroundings.progress(Taken(subject=configuration.name, action=action))

    def _carry_out(
        self, unit: Connection, configuration: StreamConfiguration, done: list[Action]
    ) -> None:
        """Withdraw and delete what is due now, and add what was done to ``done``."""
        done.clear()
        now = self._surroundings.clock.now()
        fates = self._read(unit, configuration)
        for release, fate in fates.due(Step.WITHDRAW):
            withdrawn = msgspec.structs.replace(release, withdrawn=now)
            releases.change(unit, withdrawn, time=now, reason=fate.reason)
            done.append(Withdraw(release=release.name, reason=fate.reason))
        for release, fate in fates.due(Step.DELETE):
            _delete(unit, configuration, release, reason=fate.reason, now=now)
            done.append(Delete(release=release.name, reason=fate.reason))


def _tell_left(removal: Removal) -> str:
    tag = "" if removal.adopted else f"its tag in {removal.releases}, "
    return f"{tag}images that nobody else holds, logs of its runs"


def _delete(
    unit: Connection,
    configuration: StreamConfiguration,
    release: Release,
    *,
    reason: str,
    now: float,
) -> None:
    """Forget the release, and remember what it leaves behind."""
    digests = {each.digest for each in releases.read_inputs(unit, release.name)}
    removal = Removal(
        release=release.name,
        stream=release.stream,
        digest=release.digest,
        releases=configuration.releases,
        content=configuration.content,
        adopted=release.adopted,
        runs=tuple(run.id for run in runs.list_of(unit, [release.name])[release.name]),
        images=tuple(sorted(digests)),
        time=now,
    )
    removals.write(unit, removal)
    approvals.forget(unit, release.name)
    uses.forget(unit, release.name)
    releases.remove(unit, release.name)
    told = Event(
        time=now,
        kind="release.deleted",
        stream=release.stream,
        release=release.name,
        message=reason,
        content=msgspec.json.encode(release),
    )
    events.add(unit, told)
