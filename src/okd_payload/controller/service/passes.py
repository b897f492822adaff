# SPDX-License-Identifier: Apache-2.0
"""One pass over one stream: look, decide, carry out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import msgspec
from sqlalchemy import Connection

from okd_payload.controller.adoption.adopting import adopt_new
from okd_payload.controller.configuration.checks import cluster_needed
from okd_payload.controller.configuration.model import StreamConfiguration, StreamKind
from okd_payload.controller.creation.makers import Maker, ProcessMaker
from okd_payload.controller.creation.naming import name_release
from okd_payload.controller.inputs.mirroring import mirror, plan_mirror
from okd_payload.controller.inputs.observing import observe
from okd_payload.controller.inputs.reading import InputImages
from okd_payload.controller.model import Phase, Release, StreamState
from okd_payload.controller.reconciling.actions import (
    Abort,
    Action,
    Begin,
    Decision,
    Make,
    Settle,
    Verify,
)
from okd_payload.controller.reconciling.decide import Situation, decide
from okd_payload.controller.records import releases, runs, streams
from okd_payload.controller.service.creating import Creation
from okd_payload.controller.service.leadership import Leadership
from okd_payload.controller.surroundings import Surroundings
from okd_payload.controller.verification.judging import judge
from okd_payload.errors import OkdPayloadError, RecordsError


class Verifier(Protocol):
    """Runs what a release must stand."""

    async def advance(self, configuration: StreamConfiguration, release: Release) -> None:
        """Queue what is missing, start what is queued, and note what has ended."""
        ...

    async def abort(self, release: Release, *, reason: str) -> None:
        """End all runs that are under way."""
        ...


class Follower(Protocol):
    """Does something of its own for a stream, after each pass."""

    async def advance(self, configuration: StreamConfiguration) -> float | None:
        """Do what is due now; when to be called again at the latest, None for any time."""
        ...


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What a pass goes by."""

    situation: Situation
    images: InputImages
    known: tuple[Release, ...]


class StreamPass:
    """Passes over streams, by one instance."""

    def __init__(
        self,
        surroundings: Surroundings,
        leadership: Leadership,
        *,
        verifier: Verifier,
        followers: Sequence[Follower] = (),
        maker: Maker | None = None,
    ) -> None:
        """Without ``maker``, each pass makes payloads itself."""
        self._surroundings = surroundings
        self._leadership = leadership
        self._creation = Creation(
            surroundings, maker or ProcessMaker(surroundings), write=leadership.write
        )
        self._verifier = verifier
        self._followers = tuple(followers)

    async def preview(self, name: str) -> Decision:
        """What a pass over the stream would do now; nothing is written anywhere."""
        configuration = self._surroundings.configurations()[name]
        return decide((await self._look(configuration)).situation)

    async def run(self, name: str) -> Decision:
        """Do it; what was done, and when to look again.

        Raises RecordsError when the records cannot be read or written: nothing is lost then.
        What else goes wrong is remembered in the stream's state.
        """
        configuration = self._surroundings.configurations()[name]
        trouble = await self._mirror(configuration) or await self._adopt(configuration)
        look = await self._look(configuration)
        decision = decide(look.situation)
        state = msgspec.structs.replace(look.situation.state, waiting=decision.waiting)
        if trouble and not state.error:
            now = self._surroundings.clock.now()
            state = msgspec.structs.replace(state, error=trouble, error_since=now)
        await self._leadership.write(lambda unit: _remember(unit, state))
        for action in decision.actions:
            await self._carry_out(action, configuration, look)
        wakes = [await each.advance(configuration) for each in self._followers]
        known = [wake for wake in (*wakes, decision.wake) if wake is not None]
        return msgspec.structs.replace(decision, wake=min(known, default=None))

    async def close(self) -> None:
        """End what passes began in this process and left to itself."""
        await self._creation.close()

    async def _mirror(self, configuration: StreamConfiguration) -> str:
        """Copy what the input takes over from another stream; what went wrong."""
        try:
            planned = await plan_mirror(self._surroundings, configuration)
            if planned:
                (await mirror(self._surroundings, configuration, planned)).require_all()
        except OkdPayloadError as error:
            return f"mirroring {configuration.input.mirror_from}: {error.message}"
        return ""

    async def _adopt(self, configuration: StreamConfiguration) -> str:
        """Begin a release for whatever was put into a stable stream; what went wrong."""
        if configuration.kind is not StreamKind.STABLE or configuration.end_of_life:
            return ""
        try:
            return await adopt_new(self._surroundings, configuration, write=self._leadership.write)
        except RecordsError:
            raise
        except OkdPayloadError as error:
            return f"looking for new releases: {error.message}"

    async def _look(self, configuration: StreamConfiguration) -> Look:
        database, name = self._surroundings.database, configuration.name
        before = await database.read(lambda unit: streams.find(unit, name))
        seen = await observe(self._surroundings, configuration, before)
        return await database.read(
            lambda unit: self._read(unit, configuration, seen.state, seen.images)
        )

    def _read(
        self,
        unit: Connection,
        configuration: StreamConfiguration,
        state: StreamState,
        images: InputImages,
    ) -> Look:
        found = tuple(releases.list_of(unit, configuration.name))
        ready = {each.name: each for each in found if each.phase is Phase.READY}
        made = runs.list_of(unit, ready)
        situation = Situation(
            configuration=configuration,
            state=state,
            releases=found,
            input_hash=images.input_hash,
            known=releases.has_hash(unit, configuration.name, images.input_hash),
            obstacle=cluster_needed(configuration) if self._surroundings.cluster is None else "",
            verdicts={
                name: judge(configuration, made[name], since=each.changed)
                for name, each in ready.items()
            },
            now=self._surroundings.clock.now(),
        )
        return Look(situation=situation, images=images, known=found)

    async def _carry_out(
        self, action: Action, configuration: StreamConfiguration, look: Look
    ) -> None:
        known = {release.name: release for release in look.known}
        match action:
            case Begin():
                await self._begin(action, configuration, look.images)
            case Make():
                await self._creation.go_on(configuration, known[action.release])
            case Verify():
                await self._verifier.advance(configuration, known[action.release])
            case Abort():
                await self._verifier.abort(known[action.release], reason=action.reason)
            case Settle():
                await self._settle(action, known[action.release])

    async def _begin(
        self, action: Begin, configuration: StreamConfiguration, images: InputImages
    ) -> None:
        now = self._surroundings.clock.now()

        def unit(connection: Connection) -> None:
            state = streams.find(connection, configuration.name)
            if not state.rebuild and releases.has_hash(
                connection, configuration.name, action.input_hash
            ):
                return  # another pass was quicker
            created = _after_newest(connection, configuration.name, now)
            name = name_release(
                configuration.name,
                created,
                is_taken=lambda name: releases.find(connection, name) is not None,
            )
            release = Release(
                name=name,
                stream=configuration.name,
                created=created,
                changed=created,
                input_hash=action.input_hash,
                message=action.reason,
            )
            releases.create(connection, release, images.images)
            streams.write(connection, msgspec.structs.replace(state, rebuild=False, waiting=""))

        await self._leadership.write(unit)

    async def _settle(self, action: Settle, release: Release) -> None:
        if release.phase is Phase.PENDING:
            await self._creation.give_up(release)
        await self._leadership.write(
            lambda unit: releases.move(
                unit,
                msgspec.structs.replace(release, job=""),
                action.phase,
                time=self._now(),
                reason=action.code,
                message=action.reason,
            )
        )

    def _now(self) -> float:
        return self._surroundings.clock.now()


def _after_newest(connection: Connection, stream: str, now: float) -> float:
    """``now``, or just after the newest release: the clock may have been set back since."""
    newest = releases.list_of(connection, stream, withdrawn=None, limit=1)
    return max([now, *(math.floor(each.created) + 1.0 for each in newest)])


def _remember(connection: Connection, state: StreamState) -> None:
    """Write what was seen; what people asked for meanwhile stays."""
    asked = streams.find(connection, state.name)
    streams.write(
        connection,
        msgspec.structs.replace(
            state, paused=asked.paused, paused_by=asked.paused_by, rebuild=asked.rebuild
        ),
    )
