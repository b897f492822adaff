# SPDX-License-Identifier: Apache-2.0
"""What is published of a stream, in each of its ways: which release stands there, and since when.

It is told from the log of publications, by the same rules that publishing itself goes by.
"""

from __future__ import annotations

from typing import Any

import msgspec

from okd_payload.controller.configuration.model import PublishAction, StreamConfiguration
from okd_payload.controller.model import Publication
from okd_payload.controller.publishing.deciding import LASTING
from okd_payload.controller.publishing.follower import read_standing


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


def read_places(connection: Any, configuration: StreamConfiguration) -> tuple[Place, ...]:
    """How each way of publishing of the stream stands that is not disabled."""
    found = []
    for action in configuration.publications:
        if action.disabled:
            continue
        standing = read_standing(connection, configuration, action.name)
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
