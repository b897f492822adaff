# SPDX-License-Identifier: Apache-2.0
"""Clones for people: at a commit, shallow where that can be, never over somebody's work."""

from __future__ import annotations

import subprocess

import pytest

from okd_payload.errors import SourceError
from okd_payload.source.clone import Clones

pytestmark = pytest.mark.integration


@pytest.fixture
def clones(clock):
    """What makes clones."""
    return Clones(clock=clock)


def git(folder, *arguments):
    """What git prints in a folder."""
    done = subprocess.run(
        ["git", "-C", folder, *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


async def test_a_clone_is_a_work_tree_at_the_commit(clones, repository, tmp_path):
    """The commit is checked out, alone, in a repository that knows where it is from."""
    first = repository.commit(a="1")
    repository.commit(a="2")
    folder = tmp_path / "host" / "path"
    await clones.check_out(repository.url, first, folder)
    assert (folder / "a").read_text() == "1"
    assert git(folder, "rev-parse", "HEAD") == first
    assert git(folder, "remote", "get-url", "origin") == repository.url
    assert git(folder, "rev-parse", "--is-shallow-repository") == "true"
    assert [path.name for path in folder.parent.iterdir()] == ["path"]


async def test_a_clone_is_moved_to_another_commit(clones, repository, tmp_path):
    """The next release moves the folder, and its own commits stay known."""
    first, second = repository.commit(a="1"), repository.commit(a="2")
    await clones.check_out(repository.url, first, tmp_path / "clone")
    await clones.check_out(repository.url, second, tmp_path / "clone")
    assert (tmp_path / "clone" / "a").read_text() == "2"
    await clones.check_out(repository.url, first, tmp_path / "clone")
    assert git(tmp_path / "clone", "rev-parse", "HEAD") == first


async def test_changes_of_somebody_are_not_touched(clones, repository, tmp_path):
    """A folder with work in it is left alone."""
    first, second = repository.commit(a="1"), repository.commit(a="2")
    await clones.check_out(repository.url, first, tmp_path / "clone")
    (tmp_path / "clone" / "a").write_text("mine")
    with pytest.raises(SourceError, match="changes that are not committed"):
        await clones.check_out(repository.url, second, tmp_path / "clone")
    assert (tmp_path / "clone" / "a").read_text() == "mine"


async def test_a_folder_of_something_else_is_not_touched(clones, repository, tmp_path):
    """Neither a folder of files, nor one inside of another repository."""
    commit = repository.commit(a="1")
    (tmp_path / "clone").mkdir()
    (tmp_path / "clone" / "x").write_text("mine")
    for folder in (tmp_path / "clone", repository.path / "sub"):
        folder.mkdir(exist_ok=True)
        (folder / "x").write_text("mine")
        with pytest.raises(SourceError, match="is no git repository"):
            await clones.check_out(repository.url, commit, folder)
        assert (folder / "x").read_text() == "mine"


async def test_a_server_that_gives_only_branches_is_cloned_whole(
    clones, repository, tmp_path, monkeypatch
):
    """An older commit of such a server is in what all its branches have."""
    first = repository.commit(a="1")
    repository.commit(a="2")
    monkeypatch.setenv("GIT_PROTOCOL_FROM_USER", "1")
    (tmp_path / "config").write_text("[protocol]\n\tversion = 0\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    await clones.check_out(repository.url, first, tmp_path / "clone")
    assert git(tmp_path / "clone", "rev-parse", "HEAD") == first
    assert git(tmp_path / "clone", "rev-parse", "--is-shallow-repository") == "false"


async def test_a_commit_that_is_gone_leaves_nothing(clones, repository, tmp_path):
    """The error names repository and commit, and there is no folder."""
    repository.commit(a="1")
    with pytest.raises(SourceError, match=f"has no commit {'a' * 40}"):
        await clones.check_out(repository.url, "a" * 40, tmp_path / "in" / "clone")
    assert list((tmp_path / "in").iterdir()) == []


@pytest.mark.parametrize(("url", "commit"), [("ext::sh -c x", "a" * 40), ("file:///x", "main")])
async def test_what_is_no_url_or_commit_is_refused(clones, tmp_path, url, commit):
    """Labels of images may hold anything."""
    with pytest.raises(SourceError):
        await clones.check_out(url, commit, tmp_path / "clone")
    assert not (tmp_path / "clone").exists()
