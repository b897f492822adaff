# SPDX-License-Identifier: Apache-2.0
"""Files land in the target folder or nowhere, whole or not at all."""

from __future__ import annotations

import hashlib

import pytest

from okd_payload.errors import StorageError, UnsafeEntry
from okd_payload.release.output_folder import NewFile, TargetFolder, write_files

_TIME = 1_767_000_000_123_456_789


def file(name, content=b"content"):
    """A file with a time."""
    return NewFile(name=name, content=content, mtime_ns=_TIME)


def listed(folder):
    """All files below a folder, hidden ones too."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_files_keep_content_and_time(tmp_path):
    """What is reported is what lies there."""
    written = write_files([file("a"), file("sub/b", b"b")], tmp_path / "new" / "folder")
    assert listed(tmp_path / "new" / "folder") == ["a", "sub/b"]
    assert [(item.name, item.size) for item in written] == [("a", 7), ("sub/b", 1)]
    assert written[0].sha256 == hashlib.sha256(b"content").hexdigest()
    path = tmp_path / "new" / "folder" / "a"
    assert (path.stat().st_mtime_ns, path.stat().st_mode & 0o777) == (_TIME, 0o644)


def test_an_older_file_is_replaced(tmp_path):
    """The name never means nothing, nor half a file."""
    (tmp_path / "a").write_bytes(b"old")
    write_files([file("a")], tmp_path)
    assert (tmp_path / "a").read_bytes() == b"content"
    assert listed(tmp_path) == ["a"]


@pytest.mark.parametrize("name", ["../a", "a/../../b", "../../etc/a"])
def test_no_name_leads_out(tmp_path, name):
    """A name that would land elsewhere is refused, and nothing is written."""
    folder = tmp_path / "in"
    with pytest.raises(UnsafeEntry):
        write_files([file("good"), file(name)], folder)
    assert listed(tmp_path) == []


def test_a_link_in_the_target_is_not_followed(tmp_path):
    """A folder of the target that is a link to elsewhere gets no files."""
    outside, folder = tmp_path / "outside", tmp_path / "in"
    outside.mkdir()
    folder.mkdir()
    (folder / "sub").symlink_to(outside)
    with pytest.raises(UnsafeEntry, match="is a link or a file there"):
        write_files([file("sub/a")], folder)
    assert listed(outside) == []


def test_a_link_in_place_of_a_file_is_replaced(tmp_path):
    """The file that a link means stays as it is."""
    outside, folder = tmp_path / "outside", tmp_path / "in"
    outside.write_bytes(b"mine")
    folder.mkdir()
    (folder / "a").symlink_to(outside)
    write_files([file("a")], folder)
    assert outside.read_bytes() == b"mine"
    assert (folder / "a").read_bytes() == b"content"
    assert not (folder / "a").is_symlink()


def test_without_finish_nothing_has_a_name(tmp_path):
    """Whatever happens in between, there is no file under its name."""

    def fail():
        with TargetFolder(tmp_path) as target:
            target.add(file("a"))
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    """The error names the folder."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match=r"cannot write .*/file/in"):
        write_files([file("a")], tmp_path / "file" / "in")


def test_a_name_that_is_a_folder_is_told(tmp_path):
    """A folder in place of a file is not removed."""
    (tmp_path / "a").mkdir()
    with pytest.raises(StorageError, match=r"cannot write .*/a"):
        write_files([file("a")], tmp_path)


@pytest.mark.parametrize("stamp", [-5, 2**63])
def test_times_that_no_file_system_holds_are_bent(tmp_path, stamp):
    """A layer may say anything."""
    write_files([NewFile(name="a", content=b"", mtime_ns=stamp)], tmp_path)
    assert (tmp_path / "a").exists()
