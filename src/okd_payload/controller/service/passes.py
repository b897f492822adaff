# SPDX-License-Identifier: Apache-2.0
"""One pass over one stream: look, decide, carry out.

What is seen is remembered before anything is done, and each deed is written by itself, so that a
kill between any two leaves a state from which the next pass goes on. Copying, making and
publishing may take long: they are errands that are left to themselves after a while, and looked
at again in a later pass. What went wrong is a word in the stream's state, for the pages; only
records that cannot be used end a pass.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import msgspec
from sqlalchemy import Connection

from okd_payload.controller.adoption.adopting import adopt_new
from okd_payload.controller.configuration.checks import obstacle_of
from okd_payload.controller.configuration.model import StreamConfiguration, StreamKind
from okd_payload.controller.creation.makers import Maker, ProcessMaker
from okd_payload.controller.creation.naming import name_release
from okd_payload.controller.inputs.mirroring import Mirroring, mirror, plan_mirror
from okd_payload.controller.inputs.observing import Observation, observe
from okd_payload.controller.inputs.reading import InputImages
from okd_payload.controller.model import Phase, Release, StreamState
from okd_payload.controller.reconciling.actions import (
    Abort,
    Action,
    Begin,
    Decision,
    Make,
    Mirror,
    Settle,
    Taken,
    Verify,
)
from okd_payload.controller.reconciling.decide import Situation, decide
from okd_payload.controller.records import releases, runs, streams
from okd_payload.controller.service.creating import Creation
from okd_payload.controller.service.errands import Errands
from okd_payload.controller.service.leadership import Leadership
from okd_payload.controller.surroundings import Surroundings
from okd_payload.controller.verification.judging import judge
from okd_payload.errors import OkdPayloadError, RecordsError

ERRAND_SECONDS = 5.0
"""Between looks whether long work has ended."""


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
    before: StreamState
    """What was remembered of the stream when it was looked at."""


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
        mirroring: Mirroring = mirror,
        patience: float | None = None,
    ) -> None:
        """Long work is left to itself after ``patience`` seconds, and waited for without.

        Without ``maker``, payloads are made in this process.
        """
        self._mirroring = mirroring
        self._surroundings = surroundings
        self._leadership = leadership
        self._errands = Errands(patience)
        self._creation = Creation(
            surroundings,
            maker or ProcessMaker(surroundings),
            self._errands,
            write=leadership.write,
        )
        self._verifier = verifier
        self._followers = tuple(followers)

    async def run(self, name: str) -> Decision:
        """Do it; what was done, and when to look again.

        Raises RecordsError when the records cannot be read or written: nothing is lost then.
        What else goes wrong is remembered in the stream's state.
        """
        configuration = self._surroundings.configurations()[name]
        clock = self._surroundings.clock
        copied = await self._errands.go_on(("mirror", name), lambda: self._mirror(configuration))
        adopted = await self._adopt(configuration) if not copied else ""
        look = await self._look(configuration, in_motion=copied is None or bool(copied))
        decision = decide(look.situation)
        if copied is None:
            words = f"the images of {configuration.input.mirror_from} are being copied"
            decision = msgspec.structs.replace(
                decision, waiting=words, wake=clock.now() + ERRAND_SECONDS
            )
        seen = look.situation.state
        trouble = copied or seen.error or adopted or look.situation.obstacle
        since = look.before.error_since if look.before.error else clock.now()
        state = msgspec.structs.replace(
            seen,
            waiting=decision.waiting,
            error=trouble,
            error_since=since if trouble else None,
        )
        await self._leadership.write(lambda unit: _remember(unit, state))
        for action in decision.actions:
            if not isinstance(action, Verify):  # of which the verifier tells each run
                self._surroundings.progress(Taken(subject=name, action=action))
            await self._carry_out(action, configuration, look)
        followed = await self._errands.go_on(
            ("follow", name), lambda: self._follow_up(configuration)
        )
        wakes = [clock.now() + ERRAND_SECONDS] if followed is None else followed
        known = [wake for wake in (*wakes, decision.wake) if wake is not None]
        return msgspec.structs.replace(decision, wake=min(known, default=None))

    async def close(self) -> None:
        """End what passes began in this process and left to itself."""
        await self._errands.close()

    async def _follow_up(self, configuration: StreamConfiguration) -> list[float | None]:
        """Let each follower do its work; when they want to be called again."""
        return [await each.advance(configuration) for each in self._followers]

    def _obstacle(self, configuration: StreamConfiguration) -> str:
        has_cluster = self._surroundings.cluster is not None
        return obstacle_of(configuration, has_cluster=has_cluster)

    async def _mirror(self, configuration: StreamConfiguration) -> str:
        """Copy what the input takes over from another stream; what went wrong."""
        if configuration.end_of_life:
            return ""
        try:
            planned = await plan_mirror(self._surroundings, configuration)
            for image in planned:
                action = Mirror(image=image.tag, reason=image.reference)
                self._surroundings.progress(Taken(subject=configuration.name, action=action))
            if planned:
                (await self._mirroring(self._surroundings, configuration, planned)).require_all()
        except OkdPayloadError as error:
            return f"mirroring {configuration.input.mirror_from}: {error.message}"
        return ""

    async def _adopt(self, configuration: StreamConfiguration) -> str:
        """Begin a release for whatever was put into a stable stream; what went wrong."""
        is_adopting = configuration.kind is StreamKind.STABLE and not configuration.end_of_life
        if not is_adopting or configuration.is_placeless:
            return ""
        try:
            return await adopt_new(self._surroundings, configuration, write=self._leadership.write)
        except RecordsError:
            raise
        except OkdPayloadError as error:
            return f"looking for new releases: {error.message}"

    async def _look(self, configuration: StreamConfiguration, *, in_motion: bool = False) -> Look:
        """What there is. Images that are in motion, some copied and some not, are not read."""
        database, name = self._surroundings.database, configuration.name
        before = await database.read(lambda unit: streams.find(unit, name))
        if in_motion:
            seen = Observation(state=msgspec.structs.replace(before, error=""))
        else:
            seen = await observe(self._surroundings, configuration, before)
        return await database.read(lambda unit: self._read(unit, configuration, before, seen))

    def _read(
        self,
        unit: Connection,
        configuration: StreamConfiguration,
        before: StreamState,
        seen: Observation,
    ) -> Look:
        found = tuple(releases.list_current(unit, configuration.name))
        ready = {each.name: each for each in found if each.phase is Phase.READY}
        made = runs.list_of(unit, ready)
        situation = Situation(
            configuration=configuration,
            state=seen.state,
            releases=found,
            input_hash=seen.images.input_hash,
            known=releases.has_hash(unit, configuration.name, seen.images.input_hash),
            obstacle=self._obstacle(configuration),
            verdicts={
                name: judge(configuration, made[name], since=each.changed)
                for name, each in ready.items()
            },
            now=self._surroundings.clock.now(),
        )
        return Look(situation=situation, images=seen.images, known=found, before=before)

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
