# SPDX-License-Identifier: Apache-2.0
"""What a request needs to be allowed, in the words of the token protocol.

A set of single rights rather than scope strings, so that "does this token cover that request"
is a subset test, and the scopes of several repositories (a mount) join by union.
"""

from __future__ import annotations

from typing import NamedTuple


class Right(NamedTuple):
    """One action on one thing, as in ``repository:okd/etcd:pull``."""

    kind: str
    name: str
    action: str


Access = frozenset[Right]


def to_pull(path: str) -> Access:
    """What reading from the repository at ``path`` needs."""
    return frozenset({Right("repository", path, "pull")})


def to_push(path: str) -> Access:
    """What writing to the repository at ``path`` needs; pushing without pulling does not exist."""
    return to_pull(path) | {Right("repository", path, "push")}


def parse_scopes(text: str) -> Access:
    """The rights in the ``scope`` of a challenge; what is no scope is left out."""
    rights = set()
    for scope in text.split():
        kind, _, rest = scope.partition(":")
        name, colon, actions = rest.rpartition(":")
        if colon and kind and name:
            rights |= {Right(kind, name, action) for action in actions.split(",") if action}
    return frozenset(rights)


def format_scopes(access: Access) -> list[str]:
    """``access`` as scopes, one per thing, sorted: equal access is always the same request."""
    actions: dict[tuple[str, str], list[str]] = {}
    for right in sorted(access):
        actions.setdefault((right.kind, right.name), []).append(right.action)
    return [f"{kind}:{name}:{','.join(names)}" for (kind, name), names in actions.items()]
