# SPDX-License-Identifier: Apache-2.0
"""Watching: what is there, and then every change, as the API server tells it.

An object that leaves the selection is told as DELETED, one that enters it as ADDED. A stream
ends by itself after the time that was asked for, or when the history it would need is gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

from okd_payload.cluster import Change
from okd_payload.testing.kubernetes.documents import JsonObject, with_metadata
from okd_payload.testing.kubernetes.reading import check_match, parse_revision, revision_problem
from okd_payload.testing.kubernetes.requests import Target, WatchOptions
from okd_payload.testing.kubernetes.selectors import Selector, select
from okd_payload.testing.kubernetes.state import State
from okd_payload.testing.kubernetes.statuses import Refusal, forbidden_field, invalid_options
from okd_payload.testing.kubernetes.store import Compacted, Record
from okd_payload.testing.kubernetes.waking import Waker

BOOKMARK_SECONDS = 60.0
"""How often a watch is told how far it has come."""
_LAST_BOOKMARK_SECONDS = 2.0
"""How long before its end it is told once more."""
_SHORT_SECONDS = 10.0
"""A watch that is shorter is told nothing."""
_INITIAL_END = "k8s.io/initial-events-end"

Event = tuple[str, JsonObject]
"""The type of an event and its object."""


def watch(state: State, target: Target, options: WatchOptions) -> AsyncIterator[Event]:
    """The events from the revision on that is asked for. Refuses at once what cannot be."""
    chosen = select(target.resource, options.labels, options.fields)
    if options.initial and options.match != "NotOlderThan":
        why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        cause = forbidden_field("resourceVersionMatch", why)
        raise invalid_options("ListOptions", cause)
    if not options.initial:
        check_match(options.revision, options.match)
    revision = parse_revision(options.revision or "0")
    if revision is None:
        raise Refusal(500, "", revision_problem(options.revision))
    return _Watch(state, target, chosen, options).events(revision)


class _Watch:
    """One watch."""

    def __init__(
        self, state: State, target: Target, chosen: Selector | None, options: WatchOptions
    ) -> None:
        self._state = state
        self._target = target
        self._chosen = chosen
        self._options = options
        self._changed = Waker()

    async def events(self, revision: int) -> AsyncIterator[Event]:
        stop = self._state.store.listen(self._changed.set)
        try:
            at = revision
            if not revision or self._options.initial:
                at = self._state.store.revision
                for event in self._present():
                    yield event
                if self._options.initial and self._options.bookmarks:
                    yield self._bookmark(at, initial_end=True)
            async for event in self._changes(at):
                yield event
        finally:
            stop()

    async def _changes(self, at: int) -> AsyncIterator[Event]:
        clock = self._state.clock
        started = clock.monotonic()
        marks = self._bookmark_moments()
        while True:
            self._changed.clear()
            try:
                records = self._state.store.since(at)
            except Compacted:
                yield "ERROR", self._too_old(at)
                return
            for record in records:
                at = record.stored.revision
                event = self._event(record)
                if event is not None:
                    yield event
            if self._changed.is_set:
                continue
            passed = clock.monotonic() - started
            if self._options.seconds is not None and passed >= self._options.seconds:
                return
            if marks and passed >= marks[0]:
                marks.pop(0)
                yield self._bookmark(max(at, self._state.store.revision))
                continue
            bounds = [*marks[:1]]
            if self._options.seconds is not None:
                bounds.append(self._options.seconds)
            await self._wait(min(bounds) - passed if bounds else None)

    async def _wait(self, seconds: float | None) -> None:
        """Return when something changed, or when the time is over."""
        if seconds is None:
            await self._changed.wait()
            return
        changed = asyncio.ensure_future(self._changed.wait())
        over = asyncio.ensure_future(self._state.clock.wait(seconds))
        try:
            await asyncio.wait((changed, over), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (changed, over):
                task.cancel()
            await asyncio.gather(changed, over, return_exceptions=True)

    def _bookmark_moments(self) -> list[float]:
        """After how many seconds a bookmark is sent; of a watch without end the first many."""
        if not self._options.bookmarks:
            return []
        seconds = self._options.seconds
        if seconds is None:
            return [BOOKMARK_SECONDS * number for number in range(1, 1440)]
        count = int(seconds // BOOKMARK_SECONDS)
        regular = [BOOKMARK_SECONDS * number for number in range(1, count + 1)]
        last = seconds - _LAST_BOOKMARK_SECONDS
        if seconds < _SHORT_SECONDS:
            return []
        return [*(each for each in regular if each < last), last]

    def _present(self) -> Iterator[Event]:
        target = self._target
        for stored in self._state.store.select(target.resource.name, target.namespace):
            if self._chosen is None or self._chosen(stored.document):
                yield "ADDED", self._state.convert(stored.document, target)

    def _event(self, record: Record) -> Event | None:
        key = record.stored.key
        target = self._target
        if key.resource != target.resource.name:
            return None
        if target.namespace and key.namespace != target.namespace:
            return None
        change = record.change.value
        document = record.stored.document
        if self._chosen is not None:
            had = record.before is not None and self._chosen(record.before.document)
            has = record.change is not Change.DELETED and self._chosen(document)
            if not had and not has:
                return None
            if has != had:
                change = "ADDED" if has else "DELETED"
            if had and not has and record.before is not None:
                revision = document["metadata"]["resourceVersion"]
                document = with_metadata(record.before.document, resourceVersion=revision)
        return change, self._state.convert(document, target)

    def _bookmark(self, at: int, *, initial_end: bool = False) -> Event:
        metadata: JsonObject = {"resourceVersion": str(at)}
        if initial_end:
            metadata["annotations"] = {_INITIAL_END: "true"}
        resource = self._target.resource
        return "BOOKMARK", {
            "kind": resource.kind,
            "apiVersion": resource.api_version(self._target.version),
            "metadata": metadata,
        }

    def _too_old(self, at: int) -> JsonObject:
        oldest = self._state.store.compacted
        return Refusal(410, "Expired", f"too old resource version: {at} ({oldest})").document()
