# SPDX-License-Identifier: Apache-2.0
"""Asking every repository once which branches it has, whatever becomes of the others.

Repositories that did not answer are told with the others; what was answered is remembered until
all have, so that the same command asks only the rest again. It is forgotten soon: branches move.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import msgspec

from okd_payload.build.sync.branching import Follower
from okd_payload.clock import Clock
from okd_payload.errors import SourceError
from okd_payload.oci.layout.files import storage_errors
from okd_payload.progress import Failed, Finished, Progress, Started
from okd_payload.release.concurrency import map_concurrently
from okd_payload.source.branches import Branches, KnownBranches
from okd_payload.source.remote import redacted

REMEMBERED_SECONDS = 3600.0
"""How long an answer is as good as a new one."""
_AT_ONCE = 512

Answers = dict[str, KnownBranches | SourceError]
"""What repositories said, by location."""


class _Answer(msgspec.Struct, frozen=True):
    """What one repository was asked, and what it said."""

    names: frozenset[str]
    patterns: frozenset[str]
    found: KnownBranches

    def covers(self, names: frozenset[str], patterns: frozenset[str]) -> bool:
        """Whether it answers this question as well."""
        return names <= self.names and patterns <= self.patterns


class _Remembered(msgspec.Struct, frozen=True):
    """Answers of a run that did not get all, by a key of the repository."""

    moment: float
    answers: dict[str, _Answer]


class BranchQuestions:
    """Asks, and remembers in ``memory`` what was answered until everybody has."""

    def __init__(
        self, branches: Branches, *, memory: Path, clock: Clock, progress: Progress
    ) -> None:
        self._branches = branches
        self._memory = memory
        self._clock = clock
        self._progress = progress

    async def ask(
        self, followers: Sequence[Follower], *, patterns: Collection[str] = ()
    ) -> Answers:
        """What the repositories of ``followers`` say; those that failed have their error.

        Raises MissingTool when nobody can be asked, and StorageError.
        """
        names: defaultdict[str, set[str]] = defaultdict(set)
        for follower in followers:
            if not follower.kept:
                names[follower.location] |= {*follower.candidates, follower.last_resort} - {""}
        remembered = self._recall()
        given: dict[str, _Answer] = {}
        answers: Answers = {}

        async def ask(location: str) -> None:
            wanted, globs = frozenset(names[location]), frozenset(patterns)
            key = _key_of(location)
            answer = remembered.get(key)
            if answer is None or not answer.covers(wanted, globs):
                found = await self._ask(location, wanted, globs)
                if isinstance(found, SourceError):
                    answers[location] = found
                    return
                answer = _Answer(wanted, globs, found)
            given[key] = answer
            answers[location] = answer.found

        try:
            await map_concurrently(ask, sorted(names), at_once=_AT_ONCE)
        finally:
            self._remember(given if len(given) < len(names) else {})
        return answers

    async def _ask(
        self, location: str, names: Collection[str], patterns: Collection[str]
    ) -> KnownBranches | SourceError:
        subject, started = redacted(location), self._clock.monotonic()
        self._progress(Started(subject=subject, activity="ask"))
        try:
            found = await self._branches.find(location, sorted(names), patterns=sorted(patterns))
        except SourceError as error:
            seconds = self._clock.monotonic() - started
            self._progress(Failed(subject=subject, reason=error.message, seconds=seconds))
            return error
        seconds = self._clock.monotonic() - started
        self._progress(Finished(subject=subject, outcome="answered", seconds=seconds))
        return found

    def _recall(self) -> Mapping[str, _Answer]:
        try:
            remembered = msgspec.json.decode(self._memory.read_bytes(), type=_Remembered)
        except (OSError, msgspec.MsgspecError):  # nothing there, or cut short: ask everybody
            return {}
        age = self._clock.now() - remembered.moment
        return remembered.answers if 0 <= age < REMEMBERED_SECONDS else {}

    def _remember(self, answers: Mapping[str, _Answer]) -> None:
        with storage_errors("write", self._memory):
            if not answers:
                self._memory.unlink(missing_ok=True)
                return
            self._memory.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._memory.with_name(f".{self._memory.name}.new")
            fresh.write_bytes(msgspec.json.encode(_Remembered(self._clock.now(), dict(answers))))
            fresh.replace(self._memory)


def _key_of(location: str) -> str:
    """A key that has no password in it, because it is written to a disk."""
    return hashlib.sha256(location.encode(errors="surrogateescape")).hexdigest()
