# SPDX-License-Identifier: Apache-2.0
"""Files that people name."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from okd_payload.documents import read_documents
from okd_payload.documents.files import read_file
from okd_payload.errors import InvalidDocument


def test_a_file_is_read_whole_up_to_the_limit(tmp_path: Path) -> None:
    """One byte more is refused, and the error says how many may be in it."""
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    assert read_file(path, limit=5) == b"12345"
    with pytest.raises(InvalidDocument, match="file: larger than 4 bytes") as caught:
        read_file(path, limit=4)
    assert caught.value.hint


def test_a_pipe_is_read_to_its_end(tmp_path: Path) -> None:
    """What another program writes, as with ``<(...)`` of a shell, is a file like any other."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(b"name: value\n",))
    writer.start()
    (document,) = read_documents(path)
    writer.join()
    assert document.value == {"name": "value"}


def test_what_has_no_end_is_not_read_for_ever() -> None:
    """A device says that it is empty, and gives bytes without end."""
    with pytest.raises(InvalidDocument, match="/dev/zero: larger than"):
        read_documents(Path("/dev/zero"))


@pytest.mark.parametrize(("name", "said"), [("none", "No such file"), (".", "Is a directory")])
def test_what_cannot_be_read_is_told(tmp_path: Path, name: str, said: str) -> None:
    """The error names the file and what the system says about it."""
    with pytest.raises(InvalidDocument, match=said) as caught:
        read_file(tmp_path / name)
    assert caught.value.path == str(tmp_path / name)
    assert "who may read it" in caught.value.hint
