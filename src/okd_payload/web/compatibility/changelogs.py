# SPDX-License-Identifier: Apache-2.0
"""Making changelogs while people wait: a few at once, each once, and remembered.

Releases and histories are read here; whatever takes the processor goes to a thread, so that
nobody else waits. Who asks for one that takes long is told to come back: it goes on being made.
Sources are read from named forges only, over HTTPS: what an image says of its source is foreign.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec

from okd_payload.controller.model import Release as Record
from okd_payload.controller.verification.runners.builtin.places import Places
from okd_payload.errors import OkdPayloadError, SourceError
from okd_payload.release.changelog.collect import find_source_changes, make_changelog
from okd_payload.release.changelog.model import Changelog, SourceChange, VersionChange
from okd_payload.release.concurrency import map_concurrently
from okd_payload.release.load import Release, load_release
from okd_payload.release.report.compare import changed_images
from okd_payload.release.report.describe import declared_versions
from okd_payload.release.versions import ComponentVersion, merge_for_display
from okd_payload.source.history import CommitRange
from okd_payload.web.site import Site

_KEPT = 128
_AT_ONCE = 4
_WAITING = 32
_HISTORIES = 8
PATIENCE = 20.0
"""Seconds that a request waits."""

_Key = tuple[str, str, str, str]


class TooBusy(Exception):
    """So many changelogs are being made that no further one is begun."""


class NotYet(Exception):
    """The changelog is being made."""


class Changelogs:
    """Makes the changelogs of one site."""

    def __init__(self, site: Site, *, patience: float = PATIENCE) -> None:
        self._site = site
        self._patience = patience
        self._made: OrderedDict[_Key, Changelog] = OrderedDict()
        self._under_way: dict[_Key, asyncio.Task[Changelog]] = {}
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def get(self, before: Record, after: Record) -> Changelog:
        """What changed from ``before`` to ``after``, which both have payloads.

        Raises OkdPayloadError when one of them cannot be read, TooBusy and NotYet.
        """
        key = (before.name, str(before.digest), after.name, str(after.digest))
        if key in self._made:
            self._made.move_to_end(key)
            return self._made[key]
        task = self._under_way.get(key)
        if task is None:
            if len(self._under_way) >= _WAITING:
                raise TooBusy
            task = asyncio.create_task(self._make(before, after))
            self._under_way[key] = task
            task.add_done_callback(lambda done: self._end(key, done))
        done, _ = await asyncio.wait({task}, timeout=self._patience)
        if not done:
            raise NotYet
        return task.result()

    def _end(self, key: _Key, task: asyncio.Task[Changelog]) -> None:
        del self._under_way[key]
        if task.cancelled() or task.exception() is not None:
            return
        changelog = task.result()
        if any(source.problem for source in changelog.updated):
            return  # it may be whole the next time
        self._made[key] = changelog
        while len(self._made) > _KEPT:
            self._made.popitem(last=False)

    async def _make(self, before: Record, after: Record) -> Changelog:
        async with self._turns:
            old, new = await self.read(before), await self.read(after)
            sources = await asyncio.to_thread(_find_sources, old, new)
            found = await map_concurrently(self._between, sources, at_once=_HISTORIES)
            history = _Gathered(dict(zip(map(_key_of, sources), found, strict=True)))
            made = await asyncio.to_thread(asyncio.run, make_changelog(old, new, history=history))
            return _named(made, before, after, compare_all(old, new))

    async def read(self, record: Record) -> Release:
        """The payload of ``record``. Raises what reading it raises."""
        repository, selector = await Places(self._site.surroundings).open_release(record.pull_spec)
        return await load_release(repository, record.digest or selector)

    async def _between(self, source: SourceChange) -> CommitRange | str:
        """What happened there, or why that cannot be told."""
        history = self._site.history
        if history is None:
            return "this server reads no histories"
        address = urlsplit(source.location)
        if address.scheme != "https" or address.netloc not in self._site.settings.forges:
            return "its source is at no forge that this server reads"
        try:
            return await history.between(source.location, source.before, source.after)
        except OkdPayloadError as error:
            return error.message


class _Gathered(msgspec.Struct, frozen=True):
    """Histories that were read already."""

    found: Mapping[tuple[str, str, str], CommitRange | str]

    async def between(self, location: str, before: str, after: str) -> CommitRange:
        """What was found. Raises SourceError with the words of what went wrong."""
        result = self.found.get((location, before, after), "its history was not read")
        if isinstance(result, str):
            raise SourceError(result)
        return result


def _named(
    changelog: Changelog, before: Record, after: Record, versions: tuple[VersionChange, ...]
) -> Changelog:
    """``changelog`` with the names of the releases, and all components of the newer one."""
    return msgspec.structs.replace(
        changelog,
        before=msgspec.structs.replace(changelog.before, name=before.name),
        after=msgspec.structs.replace(changelog.after, name=after.name),
        versions=versions,
    )


def compare_all(before: Release, after: Release) -> tuple[VersionChange, ...]:
    """The versions of all components; those that stay the same have none before."""
    old, _ = merge_for_display(declared_versions(before))
    new, _ = merge_for_display(declared_versions(after))
    pairs = {key: (old.get(key), new.get(key)) for key in sorted(old | new)}
    return tuple(
        VersionChange(
            name=_title(key, now or was),
            before=was.version if was is not None and was != now else "",
            after=now.version if now is not None else "",
        )
        for key, (was, now) in pairs.items()
    )


def _title(key: str, version: ComponentVersion | None) -> str:
    """How people call the component."""
    if version is not None and version.display_name:
        return version.display_name
    return " ".join(part.capitalize() for part in key.split("-"))


def _find_sources(before: Release, after: Release) -> list[SourceChange]:
    changed = [
        image for image in changed_images(before, after).values() if not image.is_at_another_place
    ]
    return [each for each in find_source_changes(changed) if each.location]


def _key_of(source: SourceChange) -> tuple[str, str, str]:
    return source.location, source.before, source.after
