# SPDX-License-Identifier: Apache-2.0
"""Object ids: exactly those of git."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from okd_payload.source.git_objects import (
    BlobHash,
    Entry,
    Mode,
    Person,
    blob_id,
    commit_id,
    tree_id,
)

NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="/\0", exclude_categories=["Cs"]), max_size=8
).filter(lambda name: name.strip(". ") and name.lower().strip(" .~1") not in (".git", "git"))


def without_folders_that_are_files(
    files: dict[str, tuple[Mode, bytes]],
) -> dict[str, tuple[Mode, bytes]]:
    """``files`` without those whose path is also the folder of another."""
    folders = {path[:end] for path in files for end in range(len(path)) if path[end] == "/"}
    return {path: file for path, file in files.items() if path not in folders}


PATHS = st.lists(NAMES.filter(bool), min_size=1, max_size=3).map("/".join)
FILES = st.dictionaries(
    PATHS,
    st.tuples(st.sampled_from([Mode.FILE, Mode.EXECUTABLE, Mode.LINK]), st.binary(max_size=20)),
    max_size=6,
).map(without_folders_that_are_files)


@pytest.fixture(scope="module")
def object_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bare repository that only stores objects."""
    path = tmp_path_factory.mktemp("objects")
    subprocess.run(["git", "init", "--quiet", "--bare", path], check=True)
    return path


def git(store: Path, *arguments: str, content: bytes = b"", index: Path | None = None) -> str:
    """What git prints, given ``content``."""
    environment = {**os.environ, "GIT_DIR": str(store)}
    if index is not None:
        environment["GIT_INDEX_FILE"] = str(index)
    done = subprocess.run(
        ["git", "-c", "core.protectNTFS=false", *arguments],
        input=content,
        env=environment,
        check=True,
        capture_output=True,
    )
    return done.stdout.decode().strip()


def git_tree(store: Path, files: dict[str, tuple[Mode, bytes]]) -> str:
    """The tree that git makes of ``files``."""
    index = store / "test-index"
    index.unlink(missing_ok=True)
    listing = b"".join(
        f"{mode.value} {git(store, 'hash-object', '-w', '--stdin', content=content)}\t".encode()
        + os.fsencode(path)
        + b"\0"
        for path, (mode, content) in files.items()
    )
    git(store, "update-index", "-z", "--add", "--index-info", content=listing, index=index)
    return git(store, "write-tree", index=index)


@pytest.mark.integration
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(files=FILES)
def test_trees_are_those_of_git(object_store: Path, files: dict[str, tuple[Mode, bytes]]) -> None:
    """The id of any set of files is the id that git gives it."""
    entries = {path: Entry(mode, blob_id(content)) for path, (mode, content) in files.items()}
    assert tree_id(entries) == git_tree(object_store, files)


def test_the_empty_tree_is_known() -> None:
    """Nothing at all has git's well-known id of the empty tree."""
    assert tree_id({}) == "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def test_folders_sort_as_if_they_ended_with_a_slash() -> None:
    """The order of a tree's entries is git's, not that of their names."""
    entry = Entry(Mode.FILE, blob_id(b""))
    # git: mkdir a; touch a/b a.b a-b; git add .; git write-tree
    assert tree_id({"a/b": entry, "a.b": entry, "a-b": entry}) == (
        "2dcd5f84fca3865b67b8a0313054fad14466c7e5"
    )


@settings(deadline=None)
@given(st.binary(max_size=200), st.integers(1, 50))
def test_a_blob_may_pass_in_pieces(content: bytes, step: int) -> None:
    """The id does not depend on how the content arrives."""
    hashed = BlobHash(len(content))
    for start in range(0, len(content), step):
        hashed.update(content[start : start + step])
    assert hashed.id() == blob_id(content)


@pytest.mark.integration
def test_commits_are_those_of_git(object_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit's id is the one that git gives it, with and without parents."""
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "A. Person")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "person@example.com")
        monkeypatch.setenv(f"GIT_{role}_DATE", "315532800 +0000")
    tree = git_tree(object_store, {"a": (Mode.FILE, b"1")})
    person = Person("A. Person <person@example.com>", 315_532_800)
    first = git(object_store, "commit-tree", tree, "-m", "One")
    second = git(object_store, "commit-tree", tree, "-m", "Two", "-p", first)
    assert commit_id(tree=tree, parents=[], author=person, message="One\n") == first
    assert commit_id(tree=tree, parents=[first], author=person, message="Two\n") == second
