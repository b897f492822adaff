# SPDX-License-Identifier: Apache-2.0
"""Which deeds are possible now, and for whom: for others a page has no buttons at all.

The page only spares readers what they would be refused: the route behind each form judges again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TypeAlias

import msgspec

from okd_payload.controller.configuration.model import (
    PublishAction,
    StreamConfiguration,
    StreamKind,
)
from okd_payload.controller.model import FOLLOWERS, Phase, Release, StreamState, VerificationRun
from okd_payload.web.access.roles import Role, permits
from okd_payload.web.pages.deeds import (
    ACCEPT,
    APPROVE,
    FINISH,
    KEEP,
    PAUSE,
    PUBLISH,
    REBUILD,
    REJECT,
    RESTORE,
    RESUME,
    RETRY,
    ROLL_BACK,
    STOP_KEEPING,
    WITHDRAW,
    Deed,
)

MANUAL = "manual"
"""The runner that waits for people."""
Choice: TypeAlias = tuple[str, str]
"""What is sent, and what people read."""
Possible: TypeAlias = list[tuple[Deed, Sequence[Choice]]]


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A deed that is possible now, with what can be chosen."""

    deed: Deed
    address: str
    """Where its form is sent to."""
    choices: tuple[Choice, ...] = ()


def offer(deeds: Possible, page: str, roles: Collection[Role]) -> tuple[Offer, ...]:
    """Those of ``deeds`` that somebody with these roles may do, on the page at that address."""
    return tuple(
        Offer(deed=deed, address=f"{page}/{deed.word}", choices=tuple(choices))
        for deed, choices in deeds
        if permits(roles, deed.role)
    )


def possible_on_release(
    release: Release, configuration: StreamConfiguration | None, published: Collection[str]
) -> Possible:
    """What can be done with ``release``, which stands in the publications ``published`` now."""
    ways = configuration.publications if configuration is not None else ()
    actions = [each for each in ways if not each.disabled]
    found: Possible = []
    if release.withdrawn is not None:
        return [(RESTORE, ())]
    if Phase.ACCEPTED in FOLLOWERS[release.phase]:
        found.append((ACCEPT, ()))
    if Phase.REJECTED in FOLLOWERS[release.phase]:
        found.append((REJECT, ()))
    if any(each.gate.approvals for each in actions) and release.phase is not Phase.FAILED:
        found.append((APPROVE, ()))
    open_ones = [(each.name, _tell(each)) for each in actions if each.name not in published]
    if release.phase is Phase.ACCEPTED and open_ones:
        found.append((PUBLISH, open_ones))
    if release.phase.is_final:
        found.append((RETRY, ()))
    found.append((STOP_KEEPING if release.kept else KEEP, ()))
    if release.phase is not Phase.PENDING:
        found.append((WITHDRAW, ()))
    return found


def possible_on_stream(
    configuration: StreamConfiguration, state: StreamState, returns: Sequence[Choice]
) -> Possible:
    """What can be done with a stream, whose publications ``returns`` can be rolled back."""
    found: Possible = []
    if not configuration.end_of_life:
        found.append((RESUME if state.paused else PAUSE, ()))
        if configuration.kind is StreamKind.INTEGRATION and not state.rebuild:
            found.append((REBUILD, ()))
    if returns:
        found.append((ROLL_BACK, returns))
    return found


def possible_on_run(run: VerificationRun) -> Possible:
    """What can be done with a run: saying how it went, where that is for people."""
    return [(FINISH, ())] if run.runner == MANUAL and not run.state.is_final else []


def _tell(action: PublishAction) -> str:
    return f"{action.name} ({action.kind})" if action.name != action.kind else action.name
