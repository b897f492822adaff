# SPDX-License-Identifier: Apache-2.0
"""Logs and results are read in bounded pieces, and nothing outside the state folder is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.web.pages.junit import MOST_SHOWN, read_results
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


def test_failures_come_with_their_words() -> None:
    """Names, groups, times and messages of what failed; the rest is counted."""
    found = read_results(
        b'<testsuites><testsuite><testcase name="a" classname="g" time="1.5"><failure message="m">'
        b'deep</failure></testcase><testcase name="b"/><testcase name="c"><skipped/></testcase>'
        b'<testcase name="d"><error>e</error></testcase></testsuite></testsuites>'
    )
    assert (found.passed, found.skipped, found.failed, found.total) == (1, 1, 2, 4)
    assert [(case.name, case.group, case.seconds, case.message) for case in found.failures] == [
        ("a", "g", "1.5", "m\ndeep"),
        ("d", "", "", "e"),
    ]
    assert found.trouble == ""


def test_exploding_results_are_refused() -> None:
    """No entity is ever expanded, and what was read before stands."""
    found = read_results(
        b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><testcase name="&b;"/>'
    )
    assert "document type" in found.trouble
    deep = read_results(b'<testcase name="a"/>'.join([b"<x>" * 100, b"</x>" * 100]))
    assert "deeply" in deep.trouble


def test_results_are_bounded() -> None:
    """Thousands of failures are counted, and as many shown as a page bears."""
    case = b'<testcase name="n"><failure>' + b"x" * 10_000 + b"</failure></testcase>"
    found = read_results(b"<s>" + case * 1000 + b"</s>")
    assert found.failed == 1000
    assert len(found.failures) == MOST_SHOWN
    assert max(len(each.message) for each in found.failures) < 4100


@given(st.binary(max_size=300))
def test_anything_can_stand_in_results(content) -> None:
    """What is no XML says so and raises nothing."""
    assert read_results(content).trouble


@given(st.text(max_size=200))
def test_texts_of_results_come_through(text) -> None:
    """Whatever a test said is shown or cut, never markup."""
    from xml.sax.saxutils import escape

    plain = "".join(sign for sign in text if sign.isprintable())
    found = read_results(f"<s><testcase><failure>{escape(plain)}</failure></testcase></s>".encode())
    assert found.failed == 1
