# SPDX-License-Identifier: Apache-2.0
"""Reading what happened between two commits, from real repositories."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.errors import InputError, SourceError
from okd_payload.source.history import CommitRange, GitHistory, LoggedCommit, parse_history


@pytest.fixture
def history(locations, clock):
    """Histories with an empty cache."""
    return GitHistory(locations.git, clock=clock)


@pytest.fixture
def merges(repository):
    """Merges a branch with one commit into main, as a forge does; the merge's id."""

    def merge(number, title):
        repository.git("switch", "--quiet", "--create", f"topic-{number}")
        repository.commit("work in progress", **{f"file{number}": "x"})
        repository.git("switch", "--quiet", "main")
        message = f"Merge pull request #{number} from me/topic-{number}\n\n{title}"
        repository.git("merge", "--quiet", "--no-ff", "-m", message, f"topic-{number}")
        return repository.git("rev-parse", "HEAD")

    return merge


def subjects(found):
    """The first lines of the commits."""
    return [commit.subject for commit in found.commits]


async def test_the_main_line_is_read(history, repository, merges):
    """What lies between two commits is the line of merges, newest first, with what they say."""
    before = repository.commit("start")
    merges(1, "Add a thing")
    after = merges(2, "Mend the thing")
    found = await history.between(repository.url, before, after)
    assert [commit.body.strip() for commit in found.commits] == ["Mend the thing", "Add a thing"]
    assert all(commit.is_merge for commit in found.commits)
    assert (found.left_behind, found.gone) == (0, "")


async def test_nothing_lies_between_a_commit_and_itself(history, repository):
    """The same commit twice has an empty history."""
    only = repository.commit("start")
    assert await history.between(repository.url, only, only) == CommitRange()


async def test_no_files_are_fetched_and_no_more_past_than_needed(history, repository, locations):
    """The copy holds commits only, and not those long before."""
    for number in range(100):
        repository.commit(f"old {number}", file=f"{number}")
    before = repository.commit("before", file="before")
    after = repository.commit("after", file="after")
    found = await history.between(repository.url, before, after)
    assert subjects(found) == ["after"]
    (copy,) = (path for path in locations.git.iterdir() if path.is_dir())
    listed = repository.git(
        *(f"--git-dir={copy}", "cat-file", "--batch-all-objects", "--batch-check=%(objecttype)")
    )
    kinds = listed.split("\n")
    assert set(kinds) == {"commit"}
    assert len(kinds) < 70


async def test_a_long_way_is_drawn_without_a_gap(history, repository):
    """When the first portion of the past is too short, more is fetched until it is enough."""
    before = repository.commit("before")
    for number in range(150):
        after = repository.commit(f"change {number}")
    found = await history.between(repository.url, before, after)
    assert subjects(found) == [f"change {number}" for number in reversed(range(150))]


async def test_a_rewritten_history_says_what_was_left_behind(history, repository):
    """Commits that the newer state does not have any more are counted."""
    start = repository.commit("start")
    repository.commit("first")
    before = repository.commit("second")
    repository.git("branch", "keep")
    repository.git("reset", "--quiet", "--hard", start)
    after = repository.commit("another way")
    found = await history.between(repository.url, before, after)
    assert (subjects(found), found.left_behind) == (["another way"], 2)


async def test_going_back_is_told_as_well(history, repository):
    """From a newer commit to an older one nothing was added, and some were left behind."""
    older = repository.commit("older")
    repository.commit("newer")
    newest = repository.commit("newest")
    found = await history.between(repository.url, newest, older)
    assert (found.commits, found.left_behind) == ((), 2)


async def test_a_commit_that_is_gone_is_an_answer(history, repository):
    """A commit that the server does not have is named, and nothing fails."""
    after = repository.commit("start")
    missing = "0123456789abcdef0123456789abcdef01234567"
    assert (await history.between(repository.url, missing, after)).gone == missing
    assert (await history.between(repository.url, after, missing)).gone == missing


async def test_what_is_known_is_not_asked_for_again(history, repository, tmp_path):
    """A second question about the same commits needs no server."""
    before, after = repository.commit("before"), repository.commit("after")
    first = await history.between(repository.url, before, after)
    repository.path.rename(tmp_path / "gone")
    assert await history.between(repository.url, before, after) == first


async def test_a_repository_that_is_not_there_is_an_error(history, tmp_path):
    """A server without the repository is told with what to do."""
    commit = "0123456789abcdef0123456789abcdef01234567"
    with pytest.raises(SourceError):
        await history.between(f"file://{tmp_path}/nothing", commit, commit)


@pytest.mark.parametrize("commit", ["main", "-x", "../../etc", "0123", ""])
async def test_only_full_ids_are_asked_for(history, repository, commit):
    """Whatever labels say, nothing but the id of a commit becomes an argument or a path."""
    good = repository.commit("start")
    with pytest.raises(InputError):
        await history.between(repository.url, commit, good)


@given(st.binary(max_size=200))
def test_foreign_output_is_read_or_refused(output):
    """Whatever is printed becomes commits or an error of ours."""
    try:
        commits = parse_history(output)
    except SourceError:
        return
    assert all(isinstance(commit, LoggedCommit) for commit in commits)
