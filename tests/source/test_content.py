# SPDX-License-Identifier: Apache-2.0
"""Listing, hashing, copying and settling folders."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from okd_payload.errors import SourceError, StorageError
from okd_payload.source.content import clear, copy_files, hash_files, list_files, settle
from okd_payload.source.git_objects import Mode, blob_id


def fill(folder: Path) -> None:
    """One of each: a file, an executable, a link, an empty folder."""
    (folder / "bin").mkdir(parents=True)
    (folder / "file").write_text("content")
    (folder / "bin" / "tool").write_text("#!/bin/sh\n")
    (folder / "bin" / "tool").chmod(0o700)
    (folder / "link").symlink_to("/nowhere")
    (folder / "empty").mkdir()


def test_files_and_links_are_listed_and_git_is_not(tmp_path: Path) -> None:
    """Everything but folders and what is named .git is content, at any depth."""
    fill(tmp_path)
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text("")
    (tmp_path / "bin" / ".git").write_text("gitdir: elsewhere")
    assert sorted(list_files(tmp_path)) == ["bin/tool", "file", "link"]


def test_too_many_files_are_refused(tmp_path: Path) -> None:
    """A folder that is surely no source is refused before it is read."""
    fill(tmp_path)
    assert len(list_files(tmp_path, most=3)) == 3
    with pytest.raises(SourceError, match="more than 2 files"):
        list_files(tmp_path, most=2)


def test_entries_are_as_git_would_store_them(tmp_path: Path) -> None:
    """Of permissions only that of the owner to execute counts; a link is its target."""
    fill(tmp_path)
    files = hash_files(tmp_path, list_files(tmp_path))
    assert {path: entry.mode for path, entry in files.items()} == {
        "file": Mode.FILE,
        "bin/tool": Mode.EXECUTABLE,
        "link": Mode.LINK,
    }
    assert files["link"].id == blob_id(b"/nowhere")


def test_large_files_are_hashed_in_pieces(tmp_path: Path) -> None:
    """A file larger than a piece has the same id as its whole content."""
    large = os.urandom(2_500_000)
    (tmp_path / "large").write_bytes(large)
    assert hash_files(tmp_path, ["large"])["large"].id == blob_id(large)


@pytest.mark.parametrize("umask", [0o077, 0o000])
def test_a_copy_is_settled(tmp_path: Path, umask: int) -> None:
    """Permissions and times of a copy depend neither on the original nor on our umask."""
    source, target = tmp_path / "source", tmp_path / "target"
    fill(source)
    (source / "file").chmod(0o666)
    before = os.umask(umask)
    try:
        copy_files(source, list_files(source), target)
        found = settle(target, time=1_000_000_000)
    finally:
        os.umask(before)
    assert found == hash_files(source, list_files(source))
    modes = {path.name: stat.S_IMODE(path.lstat().st_mode) for path in target.rglob("*")}
    assert modes == {"file": 0o644, "tool": 0o755, "bin": 0o755, "link": 0o777}
    assert {path.lstat().st_mtime for path in (target, *target.rglob("*"))} == {1_000_000_000}


def test_clearing_leaves_the_folder_and_what_links_point_at(tmp_path: Path) -> None:
    """A cleared folder is empty, also where it did not exist; links are not followed."""
    outside, folder = tmp_path / "outside", tmp_path / "folder"
    fill(outside)
    fill(folder)
    (folder / "linked").symlink_to(outside)
    clear(folder)
    clear(tmp_path / "new" / "folder")
    assert list(folder.iterdir()) == []
    assert (tmp_path / "new" / "folder").is_dir()
    assert (outside / "file").exists()


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: os.mknod(path, stat.S_IFSOCK)])
def test_what_is_no_file_is_refused(tmp_path: Path, make) -> None:
    """Pipes, sockets and devices are refused by name, and not waited for."""
    make(tmp_path / "odd")
    with pytest.raises(SourceError, match="odd is neither a file, a folder nor a link"):
        hash_files(tmp_path, list_files(tmp_path))


def test_a_vanished_file_is_named(tmp_path: Path) -> None:
    """A file that goes away meanwhile is an error that says so."""
    with pytest.raises(SourceError, match="gone vanished while it was read"):
        hash_files(tmp_path, ["gone"])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_files_are_named(tmp_path: Path) -> None:
    """A file that we may not read is an error that names it."""
    (tmp_path / "secret").touch(mode=0)
    with pytest.raises(SourceError, match=r"cannot read .*secret: Permission denied"):
        hash_files(tmp_path, ["secret"])


def test_a_folder_in_place_of_a_file_is_an_error_of_the_source(tmp_path: Path) -> None:
    """A source that changes its shape while it is copied is told from a full disk."""
    (tmp_path / "source" / "file").mkdir(parents=True)
    with pytest.raises(SourceError, match=r"cannot read .*source/file"):
        copy_files(tmp_path / "source", ["file"], tmp_path / "target")


def test_an_unusable_target_is_an_error_of_storage(tmp_path: Path) -> None:
    """A target that cannot be written is no fault of the source."""
    fill(tmp_path / "source")
    (tmp_path / "target").write_text("")
    with pytest.raises(StorageError, match=r"cannot write .*target"):
        copy_files(tmp_path / "source", ["file"], tmp_path / "target")


def test_a_full_disk_is_an_error_of_storage(tmp_path: Path) -> None:
    """No space left is said as such, and whose folder has none."""
    with pytest.raises(StorageError, match="No space left"):
        (tmp_path / "source").mkdir()
        (tmp_path / "source" / "file").write_text("content")
        (tmp_path / "target").mkdir()
        (tmp_path / "target" / "file").symlink_to("/dev/full")
        copy_files(tmp_path / "source", ["file"], tmp_path / "target")
