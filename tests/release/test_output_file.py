# SPDX-License-Identifier: Apache-2.0
"""A name means a complete file, or there is none."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime

import pytest

from okd_payload.errors import StorageError
from okd_payload.release.output_file import write_output


def test_a_file_is_replaced_whole(tmp_path):
    """The old content is there until the new one is complete, and nothing else is left."""
    path = tmp_path / "new" / "file"
    write_output(path, b"old")
    write_output(path, b"new", mode=0o640, time=datetime(2026, 1, 2, tzinfo=UTC))
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert path.stat().st_mtime == datetime(2026, 1, 2, tzinfo=UTC).timestamp()
    assert list(path.parent.iterdir()) == [path]


def test_a_failure_leaves_what_was_there(tmp_path, small_disk):
    """A full disk takes nothing away and leaves nothing behind."""
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with small_disk(10), pytest.raises(StorageError, match=r"cannot write .*/file: File too large"):
        write_output(path, bytes(100))
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_no_file_is_written_to(tmp_path):
    """A pipe stays a pipe, and a folder is an error."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_output(pipe, b"content")
        assert os.read(reader, 100) == b"content"
    finally:
        os.close(reader)
    with pytest.raises(StorageError, match="Is a directory"):
        write_output(tmp_path, b"")
