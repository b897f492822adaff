# SPDX-License-Identifier: Apache-2.0
"""Logs are read in bounded pieces, and nothing outside the state folder is."""

from __future__ import annotations

from pathlib import Path

import pytest

from okd_payload.web.pages.logs import PIECE, find_file, read_from, read_tail


@pytest.mark.parametrize(
    "name", ["", "../secret", "/etc/passwd", "link", "folder", "a\x00b", "gone", "a" * 5000]
)
def test_only_files_of_the_folder_are_found(tmp_path: Path, name) -> None:
    """No path and no link leads out of it."""
    (tmp_path / "secret").write_text("secret")
    state = tmp_path / "state"
    (state / "folder").mkdir(parents=True)
    (state / "link").symlink_to(tmp_path / "secret")
    (state / "log").write_text("log")
    assert find_file(state, name) is None
    assert find_file(state, "log") == state / "log"


def test_a_log_ends_with_its_end(tmp_path: Path) -> None:
    """Of a long one only the last lines are read, whole ones."""
    path = tmp_path / "log"
    path.write_bytes(b"".join(b"line %06d\n" % number for number in range(50_000)))
    piece = read_tail(path)
    assert piece.text.startswith("line ")
    assert piece.text.endswith("line 049999\n")
    assert 0 < piece.end - piece.start <= PIECE
    assert piece.end == piece.size


def test_a_line_of_fifty_megabytes_is_cut(tmp_path: Path) -> None:
    """It costs no more than a piece, and says that it goes on."""
    path = tmp_path / "log"
    with path.open("wb") as file:
        for _ in range(50):
            file.write(b"x" * 1_000_000)
    piece = read_tail(path)
    assert len(piece.text) < 2100
    assert piece.text.endswith("…")
    assert read_from(path, 0).end == PIECE
    with path.open("ab") as file:
        file.write(b"\nthe end\n")
    assert read_tail(path).text.endswith("…\nthe end\n")


def test_a_growing_log_is_read_on(tmp_path: Path) -> None:
    """Piece by piece, nothing twice and nothing left out."""
    path = tmp_path / "log"
    lines = [f"line {number}" for number in range(40_000)]
    path.write_text("\n".join(lines))
    found, offset = "", 0
    while True:
        piece = read_from(path, offset)
        found, offset = found + piece.text, piece.end
        if piece.end == piece.size:
            break
    assert found.splitlines() == lines
    assert read_from(path, offset + 5).text == ""
