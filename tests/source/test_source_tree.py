# SPDX-License-Identifier: Apache-2.0
"""One set of promises for every ``SourceTree``: folders, git, and the twin in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from okd_payload.errors import SourceError
from okd_payload.source.git_objects import Mode
from okd_payload.source.model import FolderSource, GitSource, Source, SourceTree
from okd_payload.testing.memory_sources import MemoryFile, MemorySourceTree

FILES = {
    "Dockerfile": MemoryFile(b"images/Dockerfile.rhel", Mode.LINK),
    "build.sh": MemoryFile(b"#!/bin/sh\n", Mode.EXECUTABLE),
    "images/Dockerfile.rhel": MemoryFile(b"FROM base\n", Mode.FILE),
    "out": MemoryFile(b"/etc/passwd", Mode.LINK),
}
Put = Callable[[Mapping[str, MemoryFile]], Source]


def write(folder: Path, files: Mapping[str, MemoryFile]) -> None:
    """Write ``files`` below ``folder``."""
    for path, file in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if file.mode is Mode.LINK:
            target.symlink_to(file.content.decode())
        else:
            target.write_bytes(file.content)
            target.chmod(0o755 if file.mode is Mode.EXECUTABLE else 0o644)


@pytest.fixture(
    params=[
        "memory",
        "folder",
        pytest.param("git", marks=pytest.mark.integration),
        pytest.param("work tree", marks=pytest.mark.integration),
    ]
)
def tree_and_put(request, sources, repository, tmp_path) -> tuple[SourceTree, Put]:
    """A source tree, and the way to put files into it."""
    if request.param == "memory":
        memory = MemorySourceTree()
        source: Source = GitSource(url="https://example.com/a", ref="main")
        return memory, lambda files: memory.put(source, files) and source

    def put(files: Mapping[str, MemoryFile]) -> Source:
        if request.param == "folder":
            write(tmp_path / "folder", files)
            return FolderSource(path=str(tmp_path / "folder"))
        write(repository.path, files)
        if request.param == "work tree":
            return FolderSource(path=str(repository.path))
        repository.commit()
        return GitSource(url=repository.url, ref="main")

    return sources, put


async def test_files_are_listed_without_reading_them(tree_and_put) -> None:
    """Every file and link has its path in the list, in the order of paths."""
    tree, put = tree_and_put
    source = put(FILES)
    commit = await tree.resolve(source)
    assert await tree.list_files(source, commit) == tuple(sorted(FILES))


async def test_equal_content_is_an_equal_tree(tree_and_put) -> None:
    """Wherever content comes from, git's id of it is the same."""
    tree, put = tree_and_put
    commit = await tree.resolve(put(FILES))
    assert commit.tree == "0d6fcea45e055213239f98621aaf483899b5e5c1"
    assert len(commit.id) == 40
    assert commit.author
    assert commit.date
    assert commit.message


async def test_files_are_read_alike(tree_and_put) -> None:
    """A file, a link, nothing, and a way out: every kind of source answers the same."""
    tree, put = tree_and_put
    source = put(FILES)
    commit = await tree.resolve(source)
    assert await tree.read_file(source, commit, "Dockerfile") == b"FROM base\n"
    assert await tree.read_file(source, commit, "./images/../build.sh") == b"#!/bin/sh\n"
    for nothing in ("absent", "images", "build.sh/x"):
        assert await tree.read_file(source, commit, nothing) is None
    for outside in ("out", "../x", "images/../../x"):
        with pytest.raises(SourceError, match="leads out of the source"):
            await tree.read_file(source, commit, outside)


async def test_checkouts_are_alike(tree_and_put, tmp_path) -> None:
    """A checkout has content, permissions, links and times of the commit and nothing else."""
    tree, put = tree_and_put
    source = put(FILES)
    commit = await tree.resolve(source)
    out = tmp_path / "checkout"
    out.mkdir()
    await tree.check_out(source, commit, out)
    found = {
        str(path.relative_to(out)): (path.lstat().st_mode & 0o777, path.lstat().st_mtime)
        for path in out.rglob("*")
        if not path.is_dir()
    }
    assert found == {
        "Dockerfile": (0o777, commit.time),
        "build.sh": (0o755, commit.time),
        "images/Dockerfile.rhel": (0o644, commit.time),
        "out": (0o777, commit.time),
    }
    assert (out / "Dockerfile").read_bytes() == b"FROM base\n"


async def test_memory_sources_change_and_fail_as_told() -> None:
    """The twin answers what was put last, keeps old commits, fails on demand, and remembers."""
    memory = MemorySourceTree()
    source = FolderSource(path="/a")
    old = memory.put(source, {"file": "old"}, message="Old", dirty=True)
    new = memory.put(source, {"file": b"new"})
    assert (old.dirty, old.message, old.location) == (True, "Old", "")
    assert await memory.resolve(source) == new != old
    assert await memory.read_file(source, old, "file") == b"old"
    memory.fail(source, SourceError("the server is down"))
    with pytest.raises(SourceError, match="the server is down"):
        await memory.resolve(source)
    with pytest.raises(SourceError, match="there is no source /b"):
        await memory.resolve(FolderSource(path="/b"))
    assert memory.operations[:2] == [("resolve", "/a"), ("read_file", "/a file")]
    unknown = MemorySourceTree()
    with pytest.raises(SourceError, match=f"has no commit {old.id}"):
        await unknown.read_file(source, old, "file")
