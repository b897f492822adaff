# SPDX-License-Identifier: Apache-2.0
"""The impact of a change as text: a table of components, and what is to be said below it."""

from __future__ import annotations

from collections.abc import Iterable

import click

from okd_payload.build.impact.reach import Reason
from okd_payload.build.impact.report import Fate, Impact
from okd_payload.cli.output import escape_controls, print_table


def print_impact(impact: Impact) -> None:
    """Print ``impact`` on standard output."""
    for change in impact.changes:
        dirty = ", with uncommitted changes" if change.dirty else ""
        _say(f"{change.repository} at {change.commit[:12]}{dirty}: {change.message}")
    click.echo()
    print_table(("distance", "component", "result", "why", "where"), _rows(impact))
    _list(
        "they cannot be had with the change:",
        (
            f"{item.name}: {'first error: ' if item.fate is Fate.FAILED else ''}{item.error}"
            for item in impact.broken
        ),
    )
    _list(
        "not as after an update of the library:",
        (f"{item.name}: {note}" for item in impact.components for note in item.notes),
    )
    _list("not built with the change:", (f"{item.name}: {item.reason}" for item in impact.left_out))
    if impact.compared_with:
        changed = [
            f"{item.name} {item.fate.value} (+{item.added_lines} -{item.removed_lines})"
            for item in impact.manifests
        ]
        _list(f"manifests that differ from {impact.compared_with}:", changed or ["none"])


def _rows(impact: Impact) -> Iterable[tuple[str, ...]]:
    """A line for each reason; the component stands in the first of its own."""
    for item in impact.components:
        distance = "" if item.distance is None else str(item.distance)
        head = (distance, item.name, item.fate.value)
        if not item.reasons:
            yield (*head, "", "")
        for number, reason in enumerate(item.reasons):
            yield (*(head if number == 0 else ("", "", "")), reason.message, _place(reason))


def _place(reason: Reason) -> str:
    return f"{reason.file}:{reason.line}" if reason.file and reason.line else reason.file


def _list(title: str, lines: Iterable[str]) -> None:
    told = list(lines)
    if told:
        click.echo(f"\n{title}")
        for line in told:
            _say(f"  {line}")


def _say(text: str) -> None:
    click.echo(escape_controls(text))
