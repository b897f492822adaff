# SPDX-License-Identifier: Apache-2.0
"""The fate of each release of a stream: why it stays, when it goes, when its content does.

Rules of the old controller: what was refused before the oldest accepted release goes, of what was
refused since a few stay, of what was accepted the newest few stay and others until they expire;
nothing is ever removed from stable streams. Ours besides: whatever is referenced stays (published,
a node of the update graph, in use, the origin of a run, pinned), everything is withdrawn first
and deleted only after a grace period, and every fate has its reason, for pages.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from okd_payload.controller.configuration.model import StreamConfiguration, StreamKind
from okd_payload.controller.model import Phase, Release


class Step(enum.Enum):
    """What is to be done with a release now."""

    STAY = "stay"
    WITHDRAW = "withdraw"
    DELETE = "delete"


class Fate(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done with a release now, and what will be."""

    step: Step
    reason: str
    """Why it stays or goes, for people."""
    expires: float | None = None
    """When it will be withdrawn or, once it is, deleted; None when it will not."""


def decide_fates(
    configuration: StreamConfiguration,
    releases: Sequence[Release],
    *,
    references: Mapping[str, str],
    now: float,
) -> dict[str, Fate]:
    """The fate of each of ``releases``, by name.

    ``releases`` are of the stream, the newest first, withdrawn ones too: all of them, or at least
    the newest of each phase that stay by their number and the oldest accepted. ``references``
    says of names of releases who needs them.
    """
    alive = [each for each in releases if each.withdrawn is None]
    fates = dict(_of_withdrawn(configuration, releases, references, now))
    if configuration.kind is StreamKind.STABLE:
        return fates | {each.name: _stay("releases of stable streams stay") for each in alive}
    counted = []
    for each in alive:
        reason = "it is kept" if each.kept else references.get(each.name, "")
        if reason:
            fates[each.name] = _stay(reason)
        if not each.kept:
            counted.append(each)
    refused = _of_refused(configuration, counted)
    for name, fate in (*refused, *_of_accepted(configuration, counted, now)):
        fates.setdefault(name, fate)
    for each in counted:
        if not each.phase.is_final:
            fates.setdefault(each.name, _stay("it is not decided"))
    return fates


def _stay(reason: str, expires: float | None = None) -> Fate:
    return Fate(step=Step.STAY, reason=reason, expires=expires)


def _of_withdrawn(
    configuration: StreamConfiguration,
    releases: Sequence[Release],
    references: Mapping[str, str],
    now: float,
) -> Iterator[tuple[str, Fate]]:
    for each in releases:
        if each.withdrawn is None:
            continue
        needed = "it is kept" if each.kept else references.get(each.name, "")
        due = each.withdrawn + configuration.retention.grace
        if needed:
            yield each.name, _stay(f"withdrawn, and its content stays: {needed}")
        elif due <= now:
            yield each.name, Fate(step=Step.DELETE, reason="withdrawn long enough ago")
        else:
            yield each.name, _stay("withdrawn, and can be restored until then", due)


def _of_refused(
    configuration: StreamConfiguration, counted: Sequence[Release]
) -> Iterator[tuple[str, Fate]]:
    accepted = [each.created for each in counted if each.phase is Phase.ACCEPTED]
    oldest = min(accepted, default=None)
    limits = {
        Phase.REJECTED: configuration.retention.keep_rejected,
        Phase.FAILED: configuration.retention.keep_failed,
    }
    for phase, limit in limits.items():
        word = phase.value.lower()
        ended = "failed" if phase is Phase.FAILED else f"were {word}"
        for place, each in enumerate([each for each in counted if each.phase is phase]):
            if oldest is not None and each.created < oldest:
                reason = f"{word} before the oldest accepted release"
                yield each.name, Fate(step=Step.WITHDRAW, reason=reason)
            elif place >= limit:
                reason = f"there are {limit} newer ones that {ended}"
                yield each.name, Fate(step=Step.WITHDRAW, reason=reason)
            else:
                yield each.name, _stay(f"one of the {limit} newest that {ended}")


def _of_accepted(
    configuration: StreamConfiguration, counted: Sequence[Release], now: float
) -> Iterator[tuple[str, Fate]]:
    retention = configuration.retention
    accepted = [each for each in counted if each.phase is Phase.ACCEPTED]
    for place, each in enumerate(accepted):
        due = each.created + retention.expires
        if not retention.expires:
            yield each.name, _stay("accepted releases of this stream do not expire")
        elif place < retention.keep_accepted:
            yield each.name, _stay(f"one of the {retention.keep_accepted} newest accepted")
        elif due <= now:
            yield each.name, Fate(step=Step.WITHDRAW, reason="it has expired")
        else:
            yield each.name, _stay("it has not expired", due)
