# SPDX-License-Identifier: Apache-2.0
"""Folders as sources, held against the real git."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import msgspec
import pytest

from okd_payload.errors import SourceError, StorageError
from okd_payload.source.folder import SNAPSHOT_TIME
from okd_payload.source.model import FolderSource
from okd_payload.source.tree import Sources
from okd_payload.testing.yardstick import attempt_below

pytestmark = pytest.mark.integration


def fill(folder: Path) -> None:
    """A small component."""
    (folder / "cmd" / "tool").mkdir(parents=True)
    (folder / "Dockerfile").write_text("FROM base\n")
    (folder / "cmd" / "tool" / "main.go").write_text("package main\n")
    (folder / "build.sh").write_text("#!/bin/sh\n")
    (folder / "build.sh").chmod(0o755)
    (folder / "link").symlink_to("cmd/tool")


def source(path: Path) -> FolderSource:
    """The folder at ``path`` as a source."""
    return FolderSource(path=str(path))


async def test_a_plain_folder_has_the_ids_of_git(repository, sources, monkeypatch) -> None:
    """A plain folder is the commit that git makes of it with our author and time."""
    fill(repository.path)
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "okd-payload snapshot")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "snapshot@okd-payload.invalid")
        monkeypatch.setenv(f"GIT_{role}_DATE", f"{SNAPSHOT_TIME} +0000")
    expected = repository.commit("Content of a folder")
    expected_date = repository.git("log", "-1", "--format=%ad")
    tree = repository.git("rev-parse", "HEAD^{tree}")
    shutil.rmtree(repository.path / ".git")

    commit = await sources.resolve(source(repository.path))

    assert (commit.id, commit.tree, commit.time) == (expected, tree, SNAPSHOT_TIME)
    assert (commit.date, commit.message) == (expected_date, "Content of a folder")
    assert (commit.location, commit.ref, commit.dirty) == ("", "", False)


async def test_a_folder_within_a_work_tree_is_plain(repository, sources, tmp_path) -> None:
    """A part of a repository has the identity of its content alone, wherever it lies."""
    fill(repository.path / "part")
    fill(tmp_path / "elsewhere")
    repository.commit()
    inside = await sources.resolve(source(repository.path / "part"))
    assert inside == await sources.resolve(source(tmp_path / "elsewhere"))


async def test_a_clean_work_tree_is_its_head(repository, sources) -> None:
    """Nothing changed means HEAD itself, with what git says about it and where it came from."""
    fill(repository.path)
    repository.git("remote", "add", "origin", "https://me:secret@github.com/openshift/etcd")
    head = repository.commit("Merge: grüße\n\nbody", _DOT_gitignore="*.o\n")
    repository.write(ignored_DOT_o="object")

    commit = await sources.resolve(source(repository.path))

    assert commit.id == head
    assert commit.tree == repository.git("rev-parse", "HEAD^{tree}")
    assert commit.time == int(repository.git("log", "-1", "--format=%ct"))
    assert commit.author == "A. Person <person@example.com>"
    assert commit.date == "Mon May 6 07:08:09 2024 +0200"
    assert commit.message == "Merge: grüße"
    assert commit.location == "https://github.com/openshift/etcd"
    assert not commit.dirty


async def test_a_changed_work_tree_is_what_git_would_commit(
    repository, sources, tmp_path, monkeypatch
) -> None:
    """Changed, new, deleted and mode-changed files count, ignored ones do not."""
    fill(repository.path)
    head = repository.commit(_DOT_gitignore="*.o\n", forced_DOT_o="x", gone="x", odd="x")
    repository.git("add", "--force", "forced.o")
    head = repository.commit()
    repository.write(**{"new\tname": "new", "ignored_DOT_o": "no", "Dockerfile": "FROM other\n"})
    (repository.path / "gone").unlink()
    (repository.path / "odd").unlink()
    repository.write(odd__now__a__folder="x")
    (repository.path / "build.sh").chmod(0o644)

    commit = await sources.resolve(source(repository.path))
    await sources.check_out(source(repository.path), commit, tmp_path / "out")

    assert (tmp_path / "out" / "Dockerfile").read_text() == "FROM other\n"
    assert not (tmp_path / "out" / "ignored.o").exists()
    assert (commit.time, commit.dirty) == (int(repository.git("log", "-1", "--format=%ct")), True)
    assert commit.message == f"Uncommitted changes on {head[:12]}"
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "okd-payload snapshot")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "snapshot@okd-payload.invalid")
        monkeypatch.setenv(f"GIT_{role}_DATE", f"{commit.time} +0000")
    assert repository.commit(commit.message) == commit.id
    assert repository.git("rev-parse", "HEAD^{tree}") == commit.tree


async def test_staged_changes_are_changes(repository, sources) -> None:
    """Content counts, whether it has been added to the index or not."""
    repository.commit(file="one")
    repository.write(file="two")
    unstaged = await sources.resolve(source(repository.path))
    repository.git("add", "--all")
    link = repository.path.with_name("link")
    link.symlink_to(repository.path)
    assert await sources.resolve(source(link)) == unstaged


async def test_a_linked_folder_is_not_followed(repository, sources, tmp_path) -> None:
    """A folder that was replaced by a link is the link, not the files at its end."""
    repository.commit(folder__file="x")
    shutil.move(repository.path / "folder", tmp_path / "moved")
    (repository.path / "folder").symlink_to(tmp_path / "moved")
    commit = await sources.resolve(source(repository.path))
    repository.git("add", "--all")
    assert commit.tree == repository.git("write-tree")


async def test_a_repository_without_commits(repository, sources) -> None:
    """Before the first commit the content is dirty, on top of nothing."""
    fill(repository.path)
    commit = await sources.resolve(source(repository.path))
    repository.git("add", "--all")
    assert commit.tree == repository.git("write-tree")
    assert (commit.dirty, commit.time) == (True, SNAPSHOT_TIME)


async def test_linked_work_trees_are_work_trees(repository, sources, tmp_path) -> None:
    """The top of a `git worktree` is recognised by its .git file."""
    head = repository.commit(file="x")
    repository.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "linked"))
    assert (await sources.resolve(source(tmp_path / "linked"))).id == head


async def test_submodules_are_refused(repository, sources, tmp_path) -> None:
    """A submodule is named, with a way to build all the same."""
    repository.commit(file="x")
    itself = str(repository.path)
    allow = ("-c", "protocol.file.allow=always")
    repository.git(*allow, "submodule", "--quiet", "add", itself, "sub")
    with pytest.raises(SourceError, match="holds another git repository: sub") as refused:
        await sources.resolve(source(repository.path))
    assert "copy of the folder that has no .git folders" in refused.value.hint


async def test_repositories_within_are_refused(repository, sources) -> None:
    """An untracked repository within is not silently left out."""
    repository.commit(file="x")
    repository.git("clone", "--quiet", ".", "inner")
    with pytest.raises(SourceError, match="holds another git repository: inner"):
        await sources.resolve(source(repository.path))


async def test_a_damaged_git_folder_is_no_licence(repository, sources) -> None:
    """A broken .git is an error; a repository further up is not taken instead."""
    repository.commit(file="x")
    (repository.path / "sub" / ".git").mkdir(parents=True)
    with pytest.raises(SourceError, match="not a git repository"):
        await sources.resolve(source(repository.path / "sub"))


async def test_hooks_and_monitors_of_the_folder_do_not_run(repository, sources) -> None:
    """Looking at a folder runs no program that its configuration names."""
    repository.commit(file="x")
    program, ran = repository.path.with_name("program"), repository.path.with_name("ran")
    program.write_text(f"#!/bin/sh\ntouch {ran}\n")
    program.chmod(0o755)
    repository.git("config", "core.fsmonitor", str(program))
    repository.git("config", "filter.run.clean", str(program))
    repository.write(_DOT_gitattributes="* filter=run\n", file="changed")
    await sources.resolve(source(repository.path))
    assert not ran.exists()


@pytest.mark.parametrize("name", ["absent", "x" * 300, "nul\0"])
async def test_an_unusable_folder_is_named(sources, tmp_path, name) -> None:
    """A folder that does not exist, or cannot, is an error that names it."""
    with pytest.raises(SourceError, match="cannot read ") as refused:
        await sources.resolve(source(tmp_path / name))
    assert name in refused.value.message


async def test_files_are_read_at_the_snapshot(sources, tmp_path) -> None:
    """Files are read through links of the folder, and only as they were resolved."""
    fill(tmp_path / "it")
    (tmp_path / "it" / "out").symlink_to("/etc/passwd")
    commit = await sources.resolve(source(tmp_path / "it"))
    read = [
        await sources.read_file(source(tmp_path / "it"), commit, path)
        for path in ("Dockerfile", "./link/main.go", "absent", "cmd")
    ]
    assert read == [b"FROM base\n", b"package main\n", None, None]
    with pytest.raises(SourceError, match="out leads out of the source"):
        await sources.read_file(source(tmp_path / "it"), commit, "out")
    (tmp_path / "it" / "Dockerfile").write_text("FROM else\n")
    with pytest.raises(SourceError, match=r"Dockerfile in .* has changed since the run began"):
        await sources.read_file(source(tmp_path / "it"), commit, "Dockerfile")
    (tmp_path / "it" / "Dockerfile").unlink()
    with pytest.raises(SourceError, match=r"Dockerfile in .* has changed since the run began"):
        await sources.read_file(source(tmp_path / "it"), commit, "Dockerfile")


async def test_too_large_files_are_refused(sources, tmp_path) -> None:
    """A file beyond the bound is not read as a whole."""
    (tmp_path / "it").mkdir()
    with (tmp_path / "it" / "large").open("wb") as file:
        file.truncate(70 * 1024 * 1024)
    commit = await sources.resolve(source(tmp_path / "it"))
    with pytest.raises(SourceError, match="large has more than"):
        await sources.read_file(source(tmp_path / "it"), commit, "large")


async def test_checkouts_are_exact(sources, tmp_path) -> None:
    """A checkout has the content, plain permissions and the commit's time, and no .git."""
    fill(tmp_path / "it")
    (tmp_path / "it" / ".git-is-not-this").write_text("")
    (tmp_path / "it" / "Dockerfile").chmod(0o600)
    commit = await sources.resolve(source(tmp_path / "it"))
    await sources.check_out(source(tmp_path / "it"), commit, tmp_path / "new" / "out")
    out = tmp_path / "new" / "out"
    assert (await sources.resolve(source(out))).tree == commit.tree
    assert (out / "link").readlink() == Path("cmd/tool")
    assert {path.lstat().st_mtime for path in out.rglob("*")} == {commit.time}
    assert (out / "Dockerfile").stat().st_mode & 0o777 == 0o644


async def test_a_change_between_resolving_and_building_is_noticed(sources, tmp_path) -> None:
    """What was resolved is what is built, or an error that names the file."""
    fill(tmp_path / "it")
    commit = await sources.resolve(source(tmp_path / "it"))
    (tmp_path / "it" / "later").write_text("not resolved, so not built")
    await sources.check_out(source(tmp_path / "it"), commit, tmp_path / "one")
    assert not (tmp_path / "one" / "later").exists()
    (tmp_path / "it" / "build.sh").write_text("#!/bin/bash\n")
    with pytest.raises(SourceError, match=r"build.sh in .* has changed") as changed:
        await sources.check_out(source(tmp_path / "it"), commit, tmp_path / "two")
    assert "run the same command again" in changed.value.hint


async def test_a_locked_folder_must_be_as_it_was(sources, locations, clock, tmp_path) -> None:
    """Another run reads the commit of a lock only while the folder still has its content."""
    fill(tmp_path / "it")
    commit = await sources.resolve(source(tmp_path / "it"))
    other = Sources(locations, clock=clock)
    assert await other.read_file(source(tmp_path / "it"), commit, "Dockerfile") == b"FROM base\n"
    elsewhere = msgspec.structs.replace(commit, id="0" * 40)
    with pytest.raises(SourceError, match=f"is {commit.id}, not {'0' * 40}"):
        await other.check_out(source(tmp_path / "it"), elsewhere, tmp_path / "out")


async def test_only_empty_folders_are_filled(sources, tmp_path) -> None:
    """A checkout never mixes with what is there, and says when it cannot begin."""
    fill(tmp_path / "it")
    commit = await sources.resolve(source(tmp_path / "it"))
    with pytest.raises(StorageError, match="it is not empty"):
        await sources.check_out(source(tmp_path / "it"), commit, tmp_path / "it")
    with pytest.raises(StorageError, match="cannot check out into"):
        await sources.check_out(
            source(tmp_path / "it"), commit, tmp_path / "it" / "Dockerfile" / "x"
        )


async def test_many_small_folders_take_no_time(sources, tmp_path) -> None:
    """Fifteen components in folders are resolved well within a tenth of a second of work."""
    children = os.times().children_user
    for attempt, cost in enumerate(attempt_below(0.1)):
        folders = [tmp_path / str(attempt) / str(number) for number in range(15)]
        for folder in folders:
            fill(folder)
            for number in range(10):
                (folder / f"manifest-{number}.yaml").write_text(f"number: {number}\n")
        with cost:
            for folder in folders:
                await sources.resolve(source(folder))
    assert os.times().children_user == children
