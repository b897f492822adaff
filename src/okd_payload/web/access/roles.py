# SPDX-License-Identifier: Apache-2.0
"""The roles, and what each opens.

Roles are a set, no ladder: who publishes need not be who judges. Every role reads, and
administrators may do everything.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable

from okd_payload.errors import InputError


class Role(enum.StrEnum):
    """What somebody may do."""

    READER = "reader"
    """Read everything that pages show, where that is not open to all."""
    VERIFIER = "verifier"
    """Say how manual runs went, and approve."""
    MANAGER = "manager"
    """Judge, retry, keep and withdraw releases; pause and rebuild streams."""
    PUBLISHER = "publisher"
    """Publish releases, and take that back."""
    ADMINISTRATOR = "administrator"
    """Everything, and tokens, webhooks and the audit log."""


def permits(given: Iterable[Role], needed: Role) -> bool:
    """Whether somebody with the roles ``given`` may do what needs ``needed``."""
    held = frozenset(given)
    if needed is Role.READER:
        return bool(held)
    return needed in held or Role.ADMINISTRATOR in held


def parse_roles(texts: Iterable[str]) -> tuple[Role, ...]:
    """The roles by their names, sorted. Raises InputError for a name that is none."""
    known = {role.value: role for role in Role}
    found = set()
    for text in texts:
        if text not in known:
            raise InputError(f"{text!r} is no role", hint=f"there are: {', '.join(known)}")
        found.add(known[text])
    if not found:
        raise InputError("a token needs a role", hint=f"there are: {', '.join(known)}")
    return tuple(sorted(found))
