# SPDX-License-Identifier: Apache-2.0
"""Runs of releases that are decided: informing ones go on, all others are ended.

A release is decided as soon as its outcome is certain, and then nothing else looks at its runs.
So after each pass those are looked for that are still open: of an accepted release they are
followed to their end, because people want to know; of any other they are ended, also where an
earlier try to end them was cut off or refused. What nobody waits for is begun for the newest
accepted release, if it was not before.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection

from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.controller.model import Phase, Release, RunState
from okd_payload.controller.records import releases, runs
from okd_payload.controller.surroundings import Surroundings
from okd_payload.controller.verification.judging import ready_since
from okd_payload.controller.verification.verifier import RunnerVerifier

_POLL_SECONDS = 10.0


class _Late(msgspec.Struct, frozen=True, kw_only=True):
    """A release that is decided, and since when it was ready."""

    release: Release
    since: float
    is_open: bool
    """Whether a run of it has not ended."""


class LateRuns:
    """Implements ``Follower``."""

    def __init__(self, surroundings: Surroundings, verifier: RunnerVerifier) -> None:
        self._surroundings = surroundings
        self._verifier = verifier

    async def advance(self, configuration: StreamConfiguration) -> float | None:
        """Bring on or end what is open; soon again while anything is."""
        found = await self._surroundings.database.read(lambda unit: _find(unit, configuration))
        newest = next((late.release.name for late in found if _goes_on(late.release)), "")
        for late in found:
            begin = late.release.name == newest and not configuration.end_of_life
            if _goes_on(late.release):
                await self._verifier.go_on(
                    configuration, late.release, since=late.since, begin=begin
                )
            elif late.is_open:
                reason = _tell(late.release)
                await self._verifier.abort(late.release, reason=reason)
        is_open = any(late.is_open for late in found)
        return self._surroundings.clock.now() + _POLL_SECONDS if is_open else None


def _find(unit: Connection, configuration: StreamConfiguration) -> list[_Late]:
    """The decided releases with open runs, and the newest accepted one; the newest first."""
    open_of = {run.release for run in runs.list_in(unit, (RunState.QUEUED, RunState.RUNNING))}
    opened = [release for name in open_of if (release := releases.find(unit, name)) is not None]
    newest = releases.list_of(unit, configuration.name, phases=(Phase.ACCEPTED,), limit=1)
    wanted = {
        release.name: release
        for release in (*newest, *opened)
        if release.stream == configuration.name and _is_decided(release)
    }
    return [
        _Late(
            release=release,
            since=ready_since(release, releases.read_transitions(unit, release.name)),
            is_open=release.name in open_of,
        )
        for release in sorted(wanted.values(), key=lambda each: each.created, reverse=True)
    ]


def _is_decided(release: Release) -> bool:
    return release.phase is not Phase.READY or release.withdrawn is not None


def _goes_on(release: Release) -> bool:
    return release.phase is Phase.ACCEPTED and release.withdrawn is None


def _tell(release: Release) -> str:
    if release.withdrawn is not None:
        return "the release is withdrawn"
    return f"the release is {release.phase.value.lower()}"
