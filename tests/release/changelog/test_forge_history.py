# SPDX-License-Identifier: Apache-2.0
"""Histories by the compare API of a forge."""

from __future__ import annotations

import json

import pytest

from okd_payload.errors import InputError, NotFound
from okd_payload.release.changelog.forge_history import API, ForgeHistory
from okd_payload.source.history import CommitRange

OLD, NEW = "a" * 40, "b" * 40
LOCATION = "https://github.com/o/r.git"


def commit(number, *parents, message="x"):
    """A commit as the API tells it."""
    return {
        "sha": f"{number:040x}",
        "parents": [{"sha": f"{parent:040x}"} for parent in parents],
        "commit": {"message": message, "committer": {"date": "1970-01-01T00:00:09Z"}},
    }


class Forge:
    """A forge that knows some addresses, and counts what it was asked."""

    def __init__(self, **answers):
        self.answers = answers
        self.asked = []

    async def __call__(self, address):
        self.asked.append(address)
        for part, answer in self.answers.items():
            if part in address:
                return json.dumps(answer).encode()
        raise NotFound(address)


class Otherwise:
    """The way that is taken where the forge does not tell."""

    async def between(self, location, before, after):
        """Nothing, recognisably."""
        return CommitRange(left_behind=99)


async def test_the_main_line_is_followed():
    """Of all commits between two, those are told that first parents lead to, newest first."""
    top = f"{4:040x}"
    answer = {
        "total_commits": 3,
        "behind_by": 2,
        "commits": [
            commit(2, 1),
            commit(3, 1, message="side"),
            commit(4, 2, 3, message="Merge pull request #5 from me/x\n\nTitle"),
        ],
    }
    forge = Forge(compare=answer)
    found = await ForgeHistory(forge, otherwise=Otherwise()).between(LOCATION, OLD, top)
    assert [item.id[-1] for item in found.commits] == ["4", "2"]
    assert (found.commits[0].body.strip(), found.commits[0].time) == ("Title", 9)
    assert found.left_behind == 2
    assert forge.asked == [f"{API}/repos/o/r/compare/{OLD}...{top}?per_page=100&page=1"]


async def test_long_answers_come_in_pages():
    """All pages are read before the line is followed."""
    forge = Forge(
        **{
            "&page=1": {"total_commits": 2, "commits": [commit(2, 1)]},
            "&page=2": {"total_commits": 2, "commits": [commit(3, 2)]},
        }
    )
    found = await ForgeHistory(forge, otherwise=Otherwise()).between(LOCATION, OLD, f"{3:040x}")
    assert [item.id[-1] for item in found.commits] == ["3", "2"]


async def test_a_commit_that_is_gone_is_named():
    """Where the two cannot be compared, the one that is not there is told."""
    forge = Forge(**{f"commits/{NEW}": commit(1)})
    found = await ForgeHistory(forge, otherwise=Otherwise()).between(LOCATION, OLD, NEW)
    assert found == CommitRange(gone=OLD)


@pytest.mark.parametrize(
    ("location", "answer"),
    [
        ("https://gitlab.example.com/o/r", {}),
        (LOCATION, {"total_commits": 9, "commits": []}),
    ],
)
async def test_what_the_forge_does_not_tell_is_read_otherwise(location, answer):
    """Other hosts, and answers that are cut, are read with git."""
    forge = Forge(compare=answer)
    found = await ForgeHistory(forge, otherwise=Otherwise()).between(location, OLD, NEW)
    assert found.left_behind == 99


async def test_only_commits_are_asked_for():
    """What a label says goes into no address unless it is the id of a commit."""
    with pytest.raises(InputError):
        await ForgeHistory(Forge(), otherwise=Otherwise()).between(LOCATION, "../x", NEW)
