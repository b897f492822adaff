# SPDX-License-Identifier: Apache-2.0
"""What is to be published now, and why what is not is not: from records alone.

A way of publishing shows one release at a time. It goes to the newest accepted one that passes
its gate; newer ones that do not pass wait, each with what for. It never goes back by itself: only
a release newer than all that were ever published there is taken, so that what was undone, and
what a person passed over, is not published again unless a person asks. Signatures are different:
they belong to a release and not to a place, so every release that was accepted since the first
one was signed gets its, also one of an older branch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from okd_payload.controller.configuration.model import PublishAction, StreamConfiguration
from okd_payload.controller.model import CONTROLLER, Phase, PublicationState, Release
from okd_payload.controller.publishing.gates import Credentials, find_obstacle
from okd_payload.controller.publishing.standing import Standing
from okd_payload.release.semver import is_version, parse_version

SIGN = "sign"
LASTING = {
    SIGN: "a signature that was given out cannot be taken back",
    "copy": "what was copied to other registries stays there",
}
"""Ways of publishing that replace nothing, and why they cannot be rolled back."""
PAUSES = (60.0, 300.0, 900.0, 3600.0)
"""Seconds before publishing that failed is tried again, by the number of failures in a row."""

_Order = tuple[bool, Any, float]
"""Whether it has a version; the version or the time; the time."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is decided from, for one way of publishing."""

    action: PublishAction
    standing: Standing = Standing()
    releases: tuple[Release, ...] = ()
    """Those of the stream that are not withdrawn, in any order."""
    credentials: Mapping[str, Credentials] = {}
    """By release; what is not there has none."""
    now: float


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Publish a release."""

    release: str
    replaces: str = ""
    """What stands there until then."""
    restores: bool = False
    """Whether it goes back to what stood there before."""
    reason: str = ""


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """That a release is not published, and what it waits for."""

    release: str
    message: str


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done for one way of publishing, and what is not."""

    publication: str
    kind: str
    steps: tuple[Step, ...] = ()
    waits: tuple[Wait, ...] = ()
    wake: float | None = None
    """When time alone changes something."""


def in_order(configuration: StreamConfiguration) -> list[PublishAction]:
    """The ways of publishing that are enabled; signing first, since others may wait for it."""
    enabled = [each for each in configuration.publications if not each.disabled]
    return sorted(enabled, key=lambda each: each.kind != SIGN)


def find_candidates(facts: Facts) -> list[Release]:
    """The accepted releases that may still be published this way, the newest first."""
    ordered = facts.action.gate.newest
    published = facts.standing.published
    least = max(_published_orders(facts).values(), default=None)
    signs = facts.action.kind == SIGN
    since = min((line.time for line in published.values()), default=None) if signs else None
    undone = {
        name
        for name, line in facts.standing.latest.items()
        if line.state is PublicationState.UNDONE
    }
    found = [
        each
        for each in facts.releases
        if each.phase is Phase.ACCEPTED
        and each.name not in undone
        and each.name not in published
        and (
            least is None
            or _order(each, by_version=ordered) > least
            or (since is not None and each.changed >= since)
        )
    ]
    return sorted(found, key=lambda each: _order(each, by_version=ordered), reverse=True)


def propose(facts: Facts) -> Proposal:
    """What is to be done now for the way of publishing that ``facts`` are about."""
    action, standing = facts.action, facts.standing
    waits = _impossible(facts)
    hopeless = {wait.release for wait in waits}
    if standing.restoring and standing.restoring not in hopeless:
        return _restore(facts)
    if standing.asked is not None and standing.asked.release not in hopeless:
        return _as_asked(facts, standing.asked.release)
    candidates = [each for each in find_candidates(facts) if each.name not in hopeless]
    steps: list[Step] = []
    wakes: list[float] = []
    for each in candidates:
        credentials = facts.credentials.get(each.name, Credentials())
        obstacle = find_obstacle(action.gate, each, credentials, now=facts.now)
        if obstacle is not None:
            waits.append(Wait(release=each.name, message=obstacle.message))
            wakes += [obstacle.until] if obstacle.until is not None else []
            continue
        later = _retry_at(facts, each.name)
        if later > facts.now:
            wakes.append(later)
        else:
            steps.insert(0, _step(facts, each.name, "the newest that may be published"))
        if action.kind != SIGN or not standing.published:
            break
    waits += _overtaken(facts, {each.name for each in candidates} | hopeless)
    return Proposal(
        publication=action.name,
        kind=action.kind,
        steps=tuple(steps),
        waits=tuple(waits),
        wake=min(wakes, default=None),
    )


def _impossible(facts: Facts) -> list[Wait]:
    """What was asked for and cannot be done as things are; nothing else waits for it."""
    known = {each.name: each for each in facts.releases}
    waits = []
    restoring, asked = facts.standing.restoring, facts.standing.asked
    if restoring and restoring not in known:
        message = "it cannot be returned to, because it was removed"
        waits.append(Wait(release=restoring, message=message))
    if asked is not None and asked.release != restoring:
        release = known.get(asked.release)
        if release is None:
            waits.append(Wait(release=asked.release, message="it was removed"))
        elif release.phase is not Phase.ACCEPTED:
            waits.append(Wait(release=asked.release, message="it is not accepted"))
    return waits


def _restore(facts: Facts) -> Proposal:
    """The other half of a roll-back; its gates were passed when it was first published."""
    action, name = facts.action, facts.standing.restoring
    later = _retry_at(facts, name)
    if later > facts.now:
        return Proposal(publication=action.name, kind=action.kind, wake=later)
    step = Step(
        release=name,
        replaces=facts.standing.before.get(name, ""),
        restores=True,
        reason="what was published after it was rolled back",
    )
    return Proposal(publication=action.name, kind=action.kind, steps=(step,))


def _as_asked(facts: Facts, name: str) -> Proposal:
    action = facts.action
    release = next(each for each in facts.releases if each.name == name)
    credentials = facts.credentials.get(name, Credentials())
    obstacle = find_obstacle(action.gate, release, credentials, now=facts.now, asked=True)
    if obstacle is not None:
        return Proposal(
            publication=action.name,
            kind=action.kind,
            waits=(Wait(release=name, message=obstacle.message),),
        )
    later = _retry_at(facts, name)
    if later > facts.now:
        return Proposal(publication=action.name, kind=action.kind, wake=later)
    asked = facts.standing.asked
    by = asked.actor if asked is not None else CONTROLLER
    return Proposal(
        publication=action.name,
        kind=action.kind,
        steps=(_step(facts, name, f"{by} asked for it"),),
    )


def _step(facts: Facts, name: str, reason: str) -> Step:
    current = facts.standing.current
    lasts = facts.action.kind in LASTING or current == name
    return Step(release=name, replaces="" if lasts else current, reason=reason)


def _overtaken(facts: Facts, candidates: set[str]) -> list[Wait]:
    """Releases that wait on record and are waited for no more."""
    alive = {each.name for each in facts.releases}
    newest = _newest_published(facts)
    return [
        Wait(release=name, message=f"{newest} is newer, and was published")
        for name, line in facts.standing.latest.items()
        if facts.standing.current
        and line.state is PublicationState.WAITING
        and line.actor == CONTROLLER
        and name not in candidates
        and name in alive
    ]


def _newest_published(facts: Facts) -> str:
    """What candidates have to be newer than; not what stands there after a roll-back."""
    published = _published_orders(facts)
    return max(published, key=published.__getitem__, default="")


def _published_orders(facts: Facts) -> dict[str, _Order]:
    """What sorts the releases that were ever published this way, undone or not."""
    created = {each.name: each.created for each in facts.releases}
    return {
        name: _order_of_name(
            name, created.get(name, line.time), by_version=facts.action.gate.newest
        )
        for name, line in facts.standing.published.items()
    }


def _retry_at(facts: Facts, name: str) -> float:
    line = facts.standing.latest.get(name)
    if line is None or line.state is not PublicationState.FAILED:
        return 0.0
    times = facts.standing.failures.get(name, 1)
    return line.time + PAUSES[min(times, len(PAUSES)) - 1]


def _order(release: Release, *, by_version: bool) -> _Order:
    return _order_of_name(release.name, release.created, by_version=by_version)


def _order_of_name(name: str, time: float, *, by_version: bool) -> _Order:
    """What sorts releases: by version and then time, those without a version before all others."""
    if by_version and is_version(name):
        return (True, parse_version(name), time)
    return (False, time, time)
