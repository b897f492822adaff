# SPDX-License-Identifier: Apache-2.0
"""Branches whose history was rewritten since a lock was made.

Following a branch that was forced to another history loses commits that the last release has.
Only where the lock has another commit of the same branch is the history read, and a history that
cannot be read is told like one that was rewritten: somebody has to look.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from okd_payload.build.sync.branching import BranchChoice
from okd_payload.errors import SourceError
from okd_payload.release.concurrency import map_concurrently
from okd_payload.source.history import History
from okd_payload.source.lock import Lock
from okd_payload.source.model import GitSource

_AT_ONCE = 32


async def tell_rewritten(
    choices: Sequence[BranchChoice], locations: Mapping[str, str], *, lock: Lock, history: History
) -> list[BranchChoice]:
    """``choices`` with what happened to the history of those that ``lock`` has on that branch.

    ``locations`` says where the source of each component is.
    """

    async def look(choice: BranchChoice) -> BranchChoice:
        location = locations[choice.component]
        known = lock.commit_of(choice.component, GitSource(url=location, ref=choice.ref))
        if known is None or not choice.commit or known.id == choice.commit:
            return choice
        note = await _compare(history, location, known.id, choice.commit)
        return msgspec.structs.replace(choice, rewritten=note)

    return await map_concurrently(look, choices, at_once=_AT_ONCE)


async def _compare(history: History, location: str, locked: str, now: str) -> str:
    """What became of the commit ``locked`` on the way to ``now``; empty when it is still there."""
    try:
        found = await history.between(location, locked, now)
    except SourceError as error:
        return f"cannot be compared with the lock: {error.message}"
    if found.gone:
        return f"was rewritten: the server has no commit {found.gone} any more"
    if found.left_behind:
        return f"was rewritten since the lock: commits left behind: {found.left_behind}"
    return ""
