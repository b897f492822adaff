# SPDX-License-Identifier: Apache-2.0
"""Progress events on standard error: drawn in a terminal, plain lines elsewhere.

Plain lines tell what takes time or went wrong; what was there already, and what was not even
tried, is only counted. The last line says how everything ended. Standard output is for results
and stays free.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping

import click
import msgspec

from okd_payload.build.report import format_duration
from okd_payload.cli.output import escape_controls
from okd_payload.cli.settings import Settings
from okd_payload.clock import Clock, SystemClock
from okd_payload.progress import (
    Advanced,
    Delayed,
    Event,
    Failed,
    Finished,
    Noticed,
    Progress,
    Started,
    ignore_progress,
)

_SILENT = frozenset({"reused", "present", "skipped"})
"""Outcomes that took no work: counted, not told one by one."""
_TELLING_SECONDS = 0.05
"""What took less took no time worth telling."""
_QUICK = frozenset({"copy"})
"""Activities whose end says enough, where lines are not drawn over."""
_COLORS = {"failed": "red", "built": "green"}


@contextlib.contextmanager
def show_progress(
    settings: Settings, *, total: int = 0, waves: Mapping[str, int] | None = None
) -> Iterator[Progress]:
    """A listener that shows what it hears until the context ends.

    ``total`` is how many subjects will end, 0 when nobody knows; ``waves`` gives the wave of
    each, counted from 1. What is printed to standard error meanwhile appears above the drawing.
    """
    tally = Tally(SystemClock(), total=total, waves=waves or {})
    if settings.quiet:
        yield ignore_progress
    elif settings.draws:
        from okd_payload.cli.live import LiveView

        with LiveView(tally, colored=settings.colored) as view:
            yield view
    else:
        plain = PlainLines(tally, colored=settings.colored)
        try:
            yield plain
        finally:
            plain.close()


class Running(msgspec.Struct):
    """A subject that is being worked on."""

    subject: str
    activity: str
    detail: str
    since: float
    done: int = 0
    total: int = 0


class Line(msgspec.Struct, frozen=True):
    """One thing worth telling: the word that may be coloured, and the rest."""

    word: str
    text: str

    @property
    def color(self) -> str:
        """The colour of the word; empty for none."""
        return _COLORS.get(self.word, "")


class Tally:
    """Counts events: what runs, and how many ended in which way."""

    def __init__(self, clock: Clock, *, total: int, waves: Mapping[str, int]) -> None:
        self._clock = clock
        self._began = clock.monotonic()
        self._total = total
        self._waves = waves
        self.ended: Counter[str] = Counter()
        self.running: dict[str, Running] = {}

    def elapsed(self, running: Running) -> str:
        """How long ``running`` has been running."""
        return format_duration(self._clock.monotonic() - running.since)

    def take(self, event: Event) -> Line | None:
        """Count ``event``; the line that tells it, or None when it is not worth one."""
        subject = escape_controls(event.subject)
        match event:
            case Started(activity=activity, detail=detail):
                running = Running(
                    subject, activity, escape_controls(detail), self._clock.monotonic()
                )
                self.running[event.subject] = running
                return Line(activity, _join(subject, detail))
            case Advanced(done=done, total=total):
                if event.subject in self.running:
                    self.running[event.subject].done = done
                    self.running[event.subject].total = total
            case Finished(outcome=outcome, detail=detail, seconds=seconds):
                began = self._end(event.subject, outcome)
                told = began is not None and began.activity not in _QUICK
                text = _join(_took(subject, seconds), "" if told else detail)
                return None if outcome in _SILENT else Line(outcome, text)
            case Failed(reason=reason, seconds=seconds):
                self._end(event.subject, "failed")
                return Line("failed", _join(_took(subject, seconds), reason))
            case Delayed(reason=reason):
                return Line("wait", _join(subject, reason))
            case Noticed(message=message):
                return Line("note", _join(subject, message))
        return None

    def _end(self, subject: str, outcome: str) -> Running | None:
        self.ended[outcome] += 1
        return self.running.pop(subject, None)

    def summary(self) -> str:
        """Where everything stands, on one line."""
        ended = self.ended.total()
        parts = [f"{ended} done"]
        if self._total:
            parts = [f"{ended} of {self._total}", f"{100 * ended // self._total} %"]
        waves = [self._waves[name] for name in self.running if name in self._waves]
        if waves:
            parts.append(f"wave {min(waves)} of {max(self._waves.values())}")
        parts += [f"{count} {outcome}" for outcome, count in sorted(self.ended.items())]
        parts.append(format_duration(self._clock.monotonic() - self._began))
        return ", ".join(parts)


class PlainLines:
    """A listener that writes one line for each event worth telling."""

    def __init__(self, tally: Tally, *, colored: bool | None) -> None:
        self._tally = tally
        self._colored = colored

    def __call__(self, event: Event) -> None:
        """Take one event."""
        line = self._tally.take(event)
        if line and line.word not in _QUICK:
            word = click.style(line.word, fg=line.color or None)
            click.echo(f"{word} {line.text}", err=True, color=self._colored)

    def close(self) -> None:
        """Say how everything ended, if anything did."""
        if self._tally.ended:
            click.echo(self._tally.summary(), err=True, color=self._colored)


def _took(subject: str, seconds: float) -> str:
    if seconds < _TELLING_SECONDS:
        return subject
    return f"{subject} in {format_duration(seconds)}"


def _join(subject: str, detail: str) -> str:
    """``subject`` and what there is to say of it, lines after the first set in."""
    lines = escape_controls(detail, keep_lines=True).split("\n")
    text = "\n  ".join(line.removeprefix("  ") for line in lines)
    return f"{subject}: {text}" if text else subject
