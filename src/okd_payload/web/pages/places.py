# SPDX-License-Identifier: Apache-2.0
"""What is published of a stream, in each of its ways: which release stands there, and since when.

It is told from the log of publications, by the same rules that publishing itself goes by.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from okd_payload.controller.configuration.model import PublishAction, StreamConfiguration
from okd_payload.controller.model import CONTROLLER, Publication, PublicationState
from okd_payload.controller.publishing.deciding import LASTING
from okd_payload.controller.publishing.follower import read_current


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One way of publishing, and how it stands."""

    action: PublishAction
    current: Publication | None = None
    """That a release was published there; None while none is."""
    returns_to: str = ""
    """The release that a roll-back puts there again; empty where nothing can be rolled back."""
    restoring: str = ""
    """The release that a roll-back is putting there now."""
    asked: Publication | None = None
    """That somebody wants a release there, and it is not yet."""


def still_stands(lines: Iterable[Publication], places: Sequence[Place]) -> tuple[Publication, ...]:
    """What of ``lines``, the log of one release, is still so: it has not been replaced since."""
    shows = {
        each.action.name: each.current.release if each.current is not None else ""
        for each in places
        if each.action.kind not in LASTING
    }
    return tuple(
        line
        for line in lines
        if line.state is PublicationState.DONE
        and shows.get(line.name, line.release) == line.release
    )


def what_came_of_it(log: Sequence[Publication]) -> tuple[Publication, ...]:
    """``log`` without what was under way or waited for, where a later line says how it ended.

    What people asked for stays.
    """
    ended = {line.name: place for place, line in enumerate(log)}
    passing = (PublicationState.RUNNING, PublicationState.WAITING)
    return tuple(
        line
        for place, line in enumerate(log)
        if place == ended[line.name] or line.state not in passing or line.actor != CONTROLLER
    )


def read_places(connection: Any, configuration: StreamConfiguration) -> tuple[Place, ...]:
    """How each way of publishing of the stream stands that is not disabled."""
    found = []
    for action in configuration.publications:
        if action.disabled:
            continue
        standing = read_current(connection, configuration, action.name)
        can_return = bool(standing.current) and action.kind not in LASTING
        found.append(
            Place(
                action=action,
                current=standing.published.get(standing.current),
                returns_to=standing.replaced if can_return else "",
                restoring=standing.restoring,
                asked=standing.asked,
            )
        )
    return tuple(found)
