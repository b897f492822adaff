# SPDX-License-Identifier: Apache-2.0
"""Branches that lost commits since a lock was made."""

from __future__ import annotations

import pytest

from okd_payload.build.sync.branching import BranchChoice, Outcome
from okd_payload.build.sync.rewriting import tell_rewritten
from okd_payload.errors import SourceError
from okd_payload.source.history import CommitRange
from okd_payload.source.lock import Lock, LockedSource
from okd_payload.source.model import Commit, GitSource

URL = "https://git.test/etcd"
OLD, NEW = "1" * 40, "2" * 40
LOCK = Lock(
    sources={
        "etcd": LockedSource(
            GitSource(url=URL, ref="main"), Commit(id=OLD, tree=OLD, time=0, location=URL)
        )
    }
)


class OneHistory:
    """A history that always has the same answer, and remembers what was asked."""

    def __init__(self, answer: CommitRange | SourceError) -> None:
        self.answer = answer
        self.asked: list[tuple[str, str, str]] = []

    async def between(self, location: str, before: str, after: str) -> CommitRange:
        """The answer."""
        self.asked.append((location, before, after))
        if isinstance(self.answer, SourceError):
            raise self.answer
        return self.answer


def choice(ref: str = "main", commit: str = NEW) -> BranchChoice:
    """What was chosen for etcd."""
    return BranchChoice(
        component="etcd", repository=URL, outcome=Outcome.FOUND, ref=ref, commit=commit
    )


async def tell(history: OneHistory, chosen: BranchChoice) -> str:
    """What is said about the branch."""
    (told,) = await tell_rewritten([chosen], {"etcd": URL}, lock=LOCK, history=history)
    return told.rewritten


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (CommitRange(), ""),
        (CommitRange(left_behind=2), "was rewritten since the lock: commits left behind: 2"),
        (CommitRange(gone=OLD), f"was rewritten: the server has no commit {OLD} any more"),
        (SourceError("says no"), "cannot be compared with the lock: says no"),
    ],
)
async def test_lost_commits_are_told(answer, told):
    """Left behind, gone, or nobody knows; a branch that went on is fine."""
    history = OneHistory(answer)
    assert await tell(history, choice()) == told
    assert history.asked == [(URL, OLD, NEW)]


@pytest.mark.parametrize("chosen", [choice(ref="other"), choice(commit=OLD), choice(commit="")])
async def test_histories_are_read_only_where_the_lock_has_another_commit(chosen):
    """Another branch, the same commit and no commit need no history."""
    history = OneHistory(CommitRange(left_behind=1))
    assert await tell(history, chosen) == ""
    assert history.asked == []
