# SPDX-License-Identifier: Apache-2.0
"""The process that runs for ever: one task for each stream, all of them only while it acts.

This is one of the few places that catch everything: whatever goes wrong in a pass over one
stream is remembered, told, and tried again later, and no other stream notices.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from collections.abc import Collection, Sequence

import msgspec

from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.controller.creation.makers import Maker
from okd_payload.controller.inputs.mirroring import Mirroring, mirror
from okd_payload.controller.model import CONTROLLER, StreamState
from okd_payload.controller.reconciling.actions import Decision
from okd_payload.controller.records import events, streams
from okd_payload.controller.records.leases import LeaseLost
from okd_payload.controller.service.clock_watch import ClockWatch
from okd_payload.controller.service.leadership import SECONDS, Leadership
from okd_payload.controller.service.passes import Follower, StreamPass, Verifier
from okd_payload.controller.surroundings import Surroundings
from okd_payload.errors import OkdPayloadError, RecordsError

_log = logging.getLogger(__name__)

_ACTIVE_SECONDS = 2.0
"""Between passes while something is under way."""
_TROUBLED_SECONDS = 15.0
_LISTEN_SECONDS = 1.0
_GATHER_SECONDS = 1.0
"""From a change of an image stream to the pass that looks at it: each change is an event."""


class Health(msgspec.Struct, kw_only=True):
    """How the service fares, for probes, metrics and pages."""

    acting: bool = False
    records: str = ""
    """Why the database takes nothing from this instance; empty when it does."""
    passes: int = 0
    errors: int = 0
    last_pass: float | None = None
    clock: str = ""
    """How the clock was set a while ago; empty when it was not."""
    clock_jumps: int = 0
    unwatched: int = 0
    """Namespaces whose image streams are only looked at now and then, for want of a watch."""


class Service:
    """Follows all configured streams."""

    def __init__(
        self,
        surroundings: Surroundings,
        *,
        verifier: Verifier,
        followers: Sequence[Follower] = (),
        maker: Maker | None = None,
        mirroring: Mirroring = mirror,
        patience: float | None = None,
        lease_seconds: float = SECONDS,
    ) -> None:
        """See ``StreamPass`` for ``maker`` and ``patience``."""
        self._surroundings = surroundings
        self.leadership = Leadership(surroundings, seconds=lease_seconds)
        self.passes = StreamPass(
            surroundings,
            self.leadership,
            verifier=verifier,
            followers=followers,
            maker=maker,
            mirroring=mirroring,
            patience=patience,
        )
        self.health = Health()
        self._clock_watch = ClockWatch(surroundings.clock)
        self._nudges: dict[str, asyncio.Event] = {}
        self._gathering: set[str] = set()
        """Streams that are nudged in a moment."""
        self._watches = surroundings.watches
        if self._watches is not None:
            self._watches.listen(self._note_image_stream)

    async def run(self) -> None:
        """Follow all streams, for ever, whenever this instance may act."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.leadership.run())
            group.create_task(self._listen())
            group.create_task(self._supervise())

    def nudge(self, stream: str) -> None:
        """Look at ``stream`` soon: something happened to it."""
        self._nudge(stream).set()

    async def sync(self, stream: str) -> Decision:
        """One pass over ``stream`` now. Raises LeaseLost where another instance acts."""
        return await self.passes.run(stream)

    async def _supervise(self) -> None:
        """One task for each configured stream while this instance acts, none while it does not."""
        following: dict[str, asyncio.Task[None]] = {}
        acted_on: dict[str, StreamConfiguration] = {}
        try:
            while True:
                self._look_around()
                wanted = self._surroundings.configurations() if self.health.acting else {}
                self._watch_images(wanted.values())
                for name in [name for name in following if name not in wanted]:
                    await _end(following.pop(name))
                if not self.health.acting:
                    await self.passes.close()
                for name in wanted:
                    if name not in following:
                        following[name] = asyncio.create_task(self._follow(name))
                    elif wanted[name] != acted_on.get(name):
                        self.nudge(name)
                acted_on = dict(wanted)
                await self._until_leadership_changes()
        finally:
            for task in following.values():
                await _end(task)
            self._watch_images(())
            await self.passes.close()

    def _watch_images(self, wanted: Collection[StreamConfiguration]) -> None:
        """Hear of the image streams of those that this instance follows."""
        if self._watches is not None:
            self._watches.note_streams("service", wanted)
            self.health.unwatched = len(self._watches.troubles)

    def _note_image_stream(self, namespace: str, name: str) -> None:
        """Nudge those that it concerns, after a moment: many images are often pushed at once."""
        if self._watches is None or not self.leadership.is_acting:
            return
        for stream in self._surroundings.configurations().values():
            if stream.name in self._gathering:
                continue
            if self._watches.concerns(stream, namespace, name):
                self._gathering.add(stream.name)
                loop = asyncio.get_running_loop()
                loop.call_later(_GATHER_SECONDS, self._nudge_gathered, stream.name)

    def _nudge_gathered(self, name: str) -> None:
        self._gathering.discard(name)
        self.nudge(name)

    def _look_around(self) -> None:
        watch = self._clock_watch
        watch.look()
        self.health.clock, self.health.clock_jumps = watch.words, watch.jumps
        self.health.acting = self.leadership.is_acting
        self.health.records = self.leadership.trouble

    async def _until_leadership_changes(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LISTEN_SECONDS), self.leadership.changed:
                await self.leadership.changed.wait()

    async def _follow(self, name: str) -> None:
        """Passes over one stream: when its inputs are due, when woken, when told."""
        while True:
            self._nudge(name).clear()
            pause = await self._pass_once(name)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._nudge(name).wait()

    async def _pass_once(self, name: str) -> float:
        """One pass, whatever comes of it; seconds until the next."""
        clock = self._surroundings.clock
        try:
            decision = await self.passes.run(name)
        except LeaseLost:
            return _LISTEN_SECONDS
        except RecordsError as error:
            self.health.errors += 1
            _log.warning("stream %s: %s", name, error.message)
            await self._note(name, error.message)
            return _TROUBLED_SECONDS
        except Exception as error:  # noqa: BLE001 - the controller's top-level loop
            self.health.errors += 1
            _log.exception("stream %s: the pass failed", name)
            await self._note(name, _words(error))
            return _TROUBLED_SECONDS
        self.health.passes += 1
        self.health.last_pass = clock.now()
        configuration = self._surroundings.configurations().get(name)
        longest = configuration.input.poll if configuration else _TROUBLED_SECONDS
        if decision.actions:
            longest = min(longest, _ACTIVE_SECONDS)
        if decision.wake is not None:
            longest = min(longest, max(0.0, decision.wake - clock.now()))
        return longest

    async def _note(self, name: str, words: str) -> None:
        """Remember for pages what stopped a pass, where the database hears it."""
        now = self._surroundings.clock.now()

        def replaced(state: StreamState) -> StreamState:
            since = state.error_since if state.error else now
            return msgspec.structs.replace(state, error=words, error_since=since)

        with contextlib.suppress(RecordsError):
            await self.leadership.write(
                lambda unit: streams.write(unit, replaced(streams.find(unit, name)))
            )

    async def _listen(self) -> None:
        """Nudge streams to which people did something, on whichever instance."""
        database = self._surroundings.database
        seen: int | None = None
        while True:
            with contextlib.suppress(RecordsError):
                if seen is None:
                    seen = await database.read(events.last_number)
                news = functools.partial(events.read_since, sequence=seen)
                for event in await database.read(news):
                    seen = event.sequence
                    if event.actor != CONTROLLER and event.stream:
                        self.nudge(event.stream)
            await self._surroundings.clock.wait(_LISTEN_SECONDS)

    def _nudge(self, name: str) -> asyncio.Event:
        return self._nudges.setdefault(name, asyncio.Event())


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _words(error: Exception) -> str:
    if isinstance(error, OkdPayloadError):
        return error.message
    return f"unexpected {type(error).__name__}: {error}"
