# SPDX-License-Identifier: Apache-2.0
"""Each part of a log once, however it comes."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.cluster import log_text
from okd_payload.cluster.log_text import LogText

START = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)


def stamp(milliseconds):
    """A time, as a kubelet writes it."""
    moment = START + dt.timedelta(milliseconds=milliseconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{milliseconds % 1000:03}000000Z"


def stamped(lines):
    """A log with times, from pairs of milliseconds and text."""
    return b"".join(f"{stamp(moment)} ".encode() + text for moment, text in lines)


def test_times_are_taken_off():
    """What is told is what was printed: empty lines, an open end and foreign lines included."""
    log = LogText()
    content = stamped([(1, b"a\n"), (2, b"\n"), (2, b"b 2025-01-01T00:00:00Z c\n")])
    assert log.take(content + b"no time here\n") == b"a\n\nb 2025-01-01T00:00:00Z c\nno time here\n"
    assert log.take(stamped([(3, b"open")])) == b"open"
    assert log.take(b" end") == b" end"


def test_an_open_line_is_told_at_once():
    """A line without an end does not wait for it, and is not told again."""
    log = LogText()
    assert log.take(stamped([(1, b"half")])) == b"half"
    log.begin_again()
    assert log.take(stamped([(1, b"half and more\n"), (5, b"next\n")])) == b" and more\nnext\n"


def test_reading_again_begins_a_second_before():
    """Reading again asks for whole seconds, one before the last line."""
    log = LogText()
    assert log.since == ""
    log.take(stamped([(7_500, b"a\n"), (9_500, b"b\n")]))
    assert log.since == "2025-01-01T00:00:08Z"


def test_an_older_file_is_not_missed_twice():
    """When a kubelet shows only its new file, what is in it is told, and told apart."""
    log = LogText()
    log.take(stamped([(1, b"old\n"), (2, b"half")]))
    log.begin_again()
    assert log.take(stamped([(3, b"new\n"), (2000, b"newer\n")])) == b"\nnew\nnewer\n"


def test_what_is_kept_is_bounded(monkeypatch):
    """A log of any size keeps a bounded part, and still goes on where it was cut."""
    monkeypatch.setattr(log_text, "_WINDOW", 2000)
    lines = [(number, f"line {number}\n".encode()) for number in range(900)]
    log = LogText()
    told = b"".join(log.take(stamped(lines[number : number + 3])) for number in range(0, 600, 3))
    assert log._size <= 2000 + 150
    log.begin_again()
    told += log.take(stamped(lines))
    assert told == b"".join(text for _, text in lines)


LINES = st.lists(
    st.tuples(st.integers(0, 900), st.sampled_from([b"", b"a", b"same", b"2025", b"x" * 50])),
    max_size=12,
)


@given(
    lines=LINES,
    ended=st.booleans(),
    cuts=st.lists(st.tuples(st.integers(1, 400), st.integers(1, 60)), max_size=6),
)
def test_any_cuts(lines, ended, cuts):
    """However often a log is cut, at any byte, and read again, each byte of it comes once."""
    moment, log_lines = 0, []
    for step, text in lines:
        moment += step
        log_lines.append((moment, text + b"\n"))
    if log_lines and not ended:
        log_lines[-1] = (log_lines[-1][0], log_lines[-1][1][:-1])
    log, told = LogText(), b""
    for size, piece in [*cuts, (10**9, 37)]:
        since = log.since
        first = min(
            (m for m, _ in log_lines if not since or stamp(m)[:19] >= since[:19]), default=0
        )
        content = stamped([(m, text) for m, text in log_lines if m >= first])[:size]
        for begin in range(0, len(content), piece):
            told += log.take(content[begin : begin + piece])
        if size == 10**9:
            told += log.finish()
        log.begin_again()
    assert told == b"".join(text for _, text in log_lines)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 0, 2)])
def test_times_out_of_order(order):
    """Two streams of one container may swap lines: nothing is lost by that."""
    lines = [(1000, b"a\n"), (1400, b"b\n"), (1700, b"c\n")]
    lines = [lines[number] for number in order]
    log = LogText()
    told = log.take(stamped(lines[:1]))
    log.begin_again()
    assert told + log.take(stamped(lines)) == b"".join(text for _, text in lines)
