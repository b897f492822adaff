# SPDX-License-Identifier: Apache-2.0
"""What whoever looks at a page may do there: for others the page has no buttons at all.

A button asks the interface for programs, which judges again; the page only spares readers what
they would be refused.
"""

from __future__ import annotations

import msgspec

from okd_payload.controller.model import Phase, Release
from okd_payload.web.access.guard import identity_of
from okd_payload.web.access.roles import Role, permits
from okd_payload.web.pages.rendering import AnyRequest
from okd_payload.web.pages.words import path_part


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One button."""

    word: str
    address: str
    """Where it is posted to."""
    needs_reason: bool = False


def actions_on(request: AnyRequest, release: Release) -> tuple[Action, ...]:
    """What whoever asks may do with ``release``."""
    roles = identity_of(request.scope).roles
    if not roles or not permits(roles, Role.MANAGER):
        return ()
    below = f"/api/v2/releases/{path_part(release.name)}"
    offered = []
    if release.phase in (Phase.READY, Phase.REJECTED):
        offered.append(Action(word="accept", address=f"{below}/accept"))
    if release.phase in (Phase.READY, Phase.ACCEPTED):
        offered.append(Action(word="reject", address=f"{below}/reject", needs_reason=True))
    if release.phase.is_final:
        offered.append(Action(word="retry", address=f"{below}/retry"))
    if not release.kept:
        offered.append(Action(word="keep", address=f"{below}/keep"))
    return tuple(offered)
