# SPDX-License-Identifier: Apache-2.0
"""Which of several places to ask next, and what it means when none of them has an answer.

The place that answered last is asked first next time, and hosts that did not answer at all are
asked last for as long as the program runs: one dead mirror costs its patience once, not once per
image.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import msgspec

from okd_payload.errors import NotFound, RegistryError, RegistryRefused, RegistryUnavailable
from okd_payload.oci.mirrors.rules import Pulls
from okd_payload.oci.repository import Repository
from okd_payload.progress import Noticed, Progress, ignore_progress

T = TypeVar("T")
_logger = logging.getLogger(__name__)


class OpenPlace(msgspec.Struct, frozen=True):
    """A repository to ask, and for which references."""

    repository: Repository
    host: str
    pulls: Pulls = Pulls.ALL


class Experience:
    """What was learnt about hosts, shared by all repositories of a run."""

    def __init__(self, progress: Progress = ignore_progress) -> None:
        """``progress`` hears which place is read instead of which repository."""
        self.silent: set[str] = set()
        """Hosts that did not answer."""
        self._progress = progress
        self._told: set[tuple[str, str]] = set()

    def tell(self, name: str, place: str) -> None:
        """Say once that the repository ``name`` is read at ``place``."""
        if name != place and (name, place) not in self._told:
            self._told.add((name, place))
            self._progress(Noticed(subject="", message=f"Reading {place} instead of {name}"))


class PlaceChoice:
    """Which place to ask, for both halves of a repository."""

    def __init__(self, name: str, places: Sequence[OpenPlace], experience: Experience) -> None:
        self.name = name
        self._places = tuple(places)
        self._experience = experience
        self._working: OpenPlace | None = None

    def order(self, *, by_digest: bool) -> list[OpenPlace]:
        """The places to ask, best first. Raises RegistryRefused when there are none."""
        allowed = [place for place in self._places if place.pulls.allows(by_digest=by_digest)]
        if not allowed:
            raise blocked(self.name, what="" if by_digest else "tags of ")
        return sorted(
            allowed,
            key=lambda place: (
                place is not self._working,
                place.host in self._experience.silent,
            ),
        )

    async def ask(self, question: Callable[[Repository], Awaitable[T]], *, by_digest: bool) -> T:
        """The first answer. Raises RegistryError when no place has one."""
        failures = []
        for place in self.order(by_digest=by_digest):
            try:
                answer = await question(place.repository)
            except RegistryError as error:
                failures.append(error)
                self.failed(place, error)
            else:
                self.worked(place)
                return answer
        raise join_errors(self.name, failures)

    async def ask_all(
        self, question: Callable[[Repository], Awaitable[T]], *, by_digest: bool
    ) -> T:
        """The first answer that says something, else any. Raises RegistryError without any."""
        failures: list[RegistryError] = []
        empty: list[T] = []
        for place in self.order(by_digest=by_digest):
            try:
                answer = await question(place.repository)
            except RegistryError as error:
                failures.append(error)
                self.failed(place, error)
            else:
                if answer:
                    return answer
                empty.append(answer)
        if empty:
            return empty[0]
        raise join_errors(self.name, failures)

    def worked(self, place: OpenPlace) -> None:
        """Ask ``place`` first from now on."""
        if self._working is not place:
            self._working = place
            self._experience.tell(self.name, place.repository.name)

    def failed(self, place: OpenPlace, error: RegistryError) -> None:
        """Ask ``place`` later from now on, and its host last if it did not answer."""
        _logger.info("%s: %s", place.repository.name, error)
        if self._working is place:
            self._working = None
        if isinstance(error, RegistryUnavailable):
            self._experience.silent.add(place.host)


def join_errors(name: str, failures: Sequence[RegistryError]) -> RegistryError:
    """The error that no place had what was asked of ``name``.

    It is NotFound only when every place said so: what cannot be reached may have it.
    """
    if len(failures) == 1:
        return failures[0]
    worst = next((error for error in failures if not isinstance(error, NotFound)), failures[-1])
    kind = RegistryUnavailable if isinstance(worst, RegistryUnavailable) else type(worst)
    reasons = "; ".join(str(error) for error in failures)
    return kind(f"{name}, of {len(failures)} places: {reasons}", hint=worst.hint)


def blocked(name: str, what: str = "") -> RegistryRefused:
    """The error that the rules forbid to contact any place of ``name``."""
    return RegistryRefused(
        f"{what}{name} may not be asked for: the rules for mirrors block it",
        hint="look at registries.conf, and at the mirror sets that were given",
    )
