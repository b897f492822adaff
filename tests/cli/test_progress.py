# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import re
import sys

import pytest
from rich.console import Console

from okd_payload.cli.live import LiveView
from okd_payload.cli.progress import PlainLines, Tally, show_progress
from okd_payload.cli.settings import Settings
from okd_payload.progress import Advanced, Delayed, Failed, Finished, Noticed, Started


class HandClock:
    """A clock that a test moves by hand."""

    def __init__(self) -> None:
        self.moment = 0.0

    def now(self) -> float:
        """The moment."""
        return self.moment

    def monotonic(self) -> float:
        """The moment."""
        return self.moment

    async def wait(self, seconds: float) -> None:
        """Move on."""
        self.moment += seconds


@pytest.fixture
def clock():
    """A clock at zero."""
    return HandClock()


def tally_of(clock, *, total=0, waves=None):
    """A tally that counts with ``clock``."""
    return Tally(clock, total=total, waves=waves or {})


def test_plain_lines_tell_work_and_failures(clock, capsys):
    """Each thing that takes time or fails is told on standard error, nothing twice."""
    lines = PlainLines(tally_of(clock, total=5), colored=None)
    lines(Started(subject="etcd", activity="build", detail="changed commit"))
    lines(Noticed(subject="etcd", message="attempt 1 failed, trying again"))
    lines(Delayed(subject="quay.io", reason="status 503"))
    lines(Finished(subject="etcd", outcome="built", detail="changed commit", seconds=75))
    lines(Finished(subject="base", outcome="reused", detail="nothing changed"))
    lines(Finished(subject="tools", outcome="stub", detail="not built here", seconds=0.001))
    lines(Failed(subject="cli", reason="exit code 1\n  no such file\nbye", seconds=2))
    lines(Finished(subject="tests", outcome="skipped", detail="cli failed"))
    clock.moment = 80
    lines.close()
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "build etcd: changed commit",
        "note etcd: attempt 1 failed, trying again",
        "wait quay.io: status 503",
        "built etcd in 1 min 15 s",
        "stub tools: not built here",
        "failed cli in 2.0 s: exit code 1",
        "  no such file",
        "  bye",
        "5 of 5, 100 %, 1 built, 1 failed, 1 reused, 1 skipped, 1 stub, 1 min 20 s",
    ]


def test_a_quick_beginning_is_not_told(clock, capsys):
    """A copy has one line, at its end, unless there was nothing to copy."""
    lines = PlainLines(tally_of(clock), colored=None)
    for subject, outcome in (("a", "copied"), ("b", "present")):
        lines(Started(subject=subject, activity="copy", detail="to example.org/x"))
        lines(Finished(subject=subject, outcome=outcome))
    assert capsys.readouterr().err == "copied a\n"


def test_nothing_done_is_not_worth_a_line(clock, capsys):
    """Without any event nothing is printed."""
    PlainLines(tally_of(clock), colored=None).close()
    assert capsys.readouterr().err == ""


def test_text_of_others_is_escaped(clock, capsys):
    """Names and reasons cannot steer the terminal."""
    lines = PlainLines(tally_of(clock), colored=None)
    lines(Failed(subject="a\x1bb", reason="line\nerror: line\x07"))
    assert capsys.readouterr().err == "failed a\\x1bb: line\n  error: line\\x07\n"


def test_the_summary_knows_the_wave(clock):
    """The earliest wave that still runs is named, of how many."""
    tally = tally_of(clock, total=3, waves={"base": 1, "cli": 2, "tests": 3})
    tally.take(Finished(subject="base", outcome="built"))
    tally.take(Started(subject="cli", activity="build"))
    tally.take(Started(subject="tests", activity="build"))
    assert tally.summary() == "1 of 3, 33 %, wave 2 of 3, 1 built, 0.0 s"


def test_the_summary_without_a_total(clock):
    """Where nobody knows how much there is, what is done is counted."""
    tally = tally_of(clock)
    tally.take(Finished(subject="blob", outcome="copied"))
    assert tally.summary() == "1 done, 1 copied, 0.0 s"


def draw(clock, events, *, height=20):
    """What a terminal of ``height`` lines shows after ``events``, before and after the end."""
    console = Console(file=io.StringIO(), force_terminal=True, width=100, height=height)
    view = LiveView(tally_of(clock, total=9), colored=False, console=console)
    with view:
        for event in events:
            view(event)
        clock.moment = 12.0
        shown = Console(file=io.StringIO(), width=100)
        shown.print(view._draw())
    return shown.file.getvalue(), console.file.getvalue()


def test_the_drawing_has_a_line_for_each_running_build(clock):
    """Running builds are listed with their elapsed time; the last line counts."""
    shown, _ = draw(
        clock,
        [
            Started(subject="etcd", activity="build", detail="changed commit"),
            Started(subject="blob", activity="copy"),
            Advanced(subject="blob", done=20_000_000, total=80_000_000),
            Advanced(subject="unknown", done=1, total=2),
            Finished(subject="base", outcome="built"),
        ],
    )
    lines = [line.split() for line in shown.splitlines()]
    assert lines[0][1:] == ["build", "etcd", "12", "s", "changed", "commit"]
    assert lines[1][1:] == ["copy", "blob", "12", "s", "25", "%", "of", "80", "MB"]
    assert "1 of 9, 11 %, 1 built, 12 s" in shown


def test_small_counts_are_a_share(clock):
    """What is not measured in megabytes shows its share only."""
    events = [
        Started(subject="tags", activity="list"),
        Advanced(subject="tags", done=1, total=4),
    ]
    assert "25 %" in draw(clock, events)[0]


def test_the_drawing_fits_the_terminal(clock):
    """More builds than lines are summed up instead of scrolling away."""
    events = [Started(subject=f"c{number}", activity="build") for number in range(30)]
    shown, _ = draw(clock, events, height=10)
    assert len(shown.splitlines()) == 8
    assert "and 24 more" in shown


def test_the_drawing_ends_with_the_summary(clock):
    """What was told stays above, and the last line left is the summary."""
    other = Started(subject="other", activity="build")
    _, left = draw(clock, [other, Failed(subject="cli", reason="[bold]no[/bold] markup")])
    assert "cli: [bold]no[/bold] markup" in left
    visible = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", left)
    lines = re.split("[\r\n]", visible)
    assert not any(line.startswith("build other") for line in lines)
    assert lines[-2] == "1 of 9, 11 %, 1 failed, 12 s"


class Terminal(io.StringIO):
    """Standard error that claims to be a terminal."""

    def isatty(self) -> bool:
        """It claims so."""
        return True


def show_one_event(settings):
    """Show one event as ``settings`` want it."""
    with show_progress(settings, total=1) as progress:
        progress(Started(subject="etcd", activity="build"))
        progress(Finished(subject="etcd", outcome="built"))


def test_quiet_means_silence(capsys):
    """``--quiet`` shows no progress at all."""
    settings = Settings()
    settings.quiet = True
    show_one_event(settings)
    assert capsys.readouterr() == ("", "")


def test_lines_where_no_terminal_reads(capsys):
    """A pipe or a file gets plain lines."""
    show_one_event(Settings())
    assert capsys.readouterr().err.startswith("build etcd\nbuilt etcd\n1 of 1")


def test_a_drawing_where_a_terminal_reads(monkeypatch):
    """A terminal gets a drawing, unless it is dumb or a log is shown between."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(sys, "stderr", Terminal())
    show_one_event(Settings())
    assert "\x1b[" in sys.stderr.getvalue()

    loud = Settings()
    loud.verbose = 1
    monkeypatch.setattr(sys, "stderr", Terminal())
    show_one_event(loud)
    assert "\x1b[2K" not in sys.stderr.getvalue()
