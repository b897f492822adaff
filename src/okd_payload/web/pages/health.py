# SPDX-License-Identifier: Apache-2.0
"""How streams fare, in one word each and a sentence, for the overview.

What somebody has to look at wins over what is as people wanted it: trouble before refused releases,
these before a pause. The interface for programs has coarser words of its own, which stay as they
are.
"""

from __future__ import annotations

import enum

import msgspec

from okd_payload.controller.configuration.model import StreamConfiguration, StreamKind
from okd_payload.controller.model import Phase
from okd_payload.controller.views.overview import StreamOverview


class Condition(enum.Enum):
    """How a stream fares."""

    GOOD = "Good"
    WORKING = "Working"
    """A release is being made or verified."""
    QUIET = "Quiet"
    """There is nothing yet."""
    PAUSED = "Paused"
    FAILING = "Failing"
    """The newest decided releases were all refused, or all that there ever were."""
    TROUBLED = "Trouble"
    """Something keeps the controller from following it."""


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The condition of a stream, and why nothing is new."""

    condition: Condition
    sentence: str = ""


def judge_health(overview: StreamOverview) -> Health:
    """How the stream fares, the worst first."""
    state = overview.state
    if trouble := state.error or _tell_unmade(overview):
        return Health(condition=Condition.TROUBLED, sentence=trouble)
    if overview.lacks_accepted:
        return Health(
            condition=Condition.FAILING,
            sentence="none of the newest decided releases was accepted",
        )
    if state.paused:
        by = f" by {state.paused_by}" if state.paused_by else ""
        return Health(condition=Condition.PAUSED, sentence=f"paused{by}: {state.paused}")
    if not overview.newest:
        return Health(condition=Condition.QUIET, sentence=state.waiting or "no releases yet")
    is_decided = overview.newest[0].phase.is_final
    if is_decided and overview.accepted is None:
        return Health(condition=Condition.FAILING, sentence="no release was accepted yet")
    condition = Condition.GOOD if is_decided else Condition.WORKING
    return Health(condition=condition, sentence=state.waiting)


def _tell_unmade(overview: StreamOverview) -> str:
    """Why the newest release could not be made so far; empty where nothing stood in the way."""
    newest = next(iter(overview.newest), None)
    if newest is None or newest.phase is not Phase.PENDING or not newest.attempts:
        return ""
    return f"{newest.name} could not be made so far: {newest.message}"


def order_streams(configurations: dict[str, StreamConfiguration]) -> list[StreamConfiguration]:
    """Those that are shown first before hidden ones, stable ones before others, newer before older.

    Streams that have ended are left out.
    """
    alive = [each for each in configurations.values() if not each.end_of_life]
    alive.sort(key=lambda each: each.name)
    alive.sort(key=lambda each: _version(each.name), reverse=True)
    alive.sort(key=lambda each: (each.hidden, each.kind is not StreamKind.STABLE))
    return alive


def _version(name: str) -> tuple[int, ...]:
    """The numbers that ``name`` begins with, 4.20 of 4.20.0-0.okd; 4 alone is the newest of all."""
    numbers = []
    for part in name.partition("-")[0].split("."):
        if not part.isdecimal():
            break
        numbers.append(int(part[:6]))
    return (*numbers, 1_000_000) if len(numbers) == 1 else tuple(numbers)
