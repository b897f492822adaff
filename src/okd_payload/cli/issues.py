# SPDX-License-Identifier: Apache-2.0
"""Issues for people: one block each on standard error, blocking ones first."""

from __future__ import annotations

from collections.abc import Sequence

import click

from okd_payload.build.codes import IMAGE_UNAVAILABLE, SOURCE_UNAVAILABLE
from okd_payload.cli.output import escape_controls
from okd_payload.cli.settings import Settings
from okd_payload.errors import BlockedByIssues, InputsUnavailable, OkdPayloadError
from okd_payload.issues import Issue, Severity

_UNAVAILABLE = frozenset({SOURCE_UNAVAILABLE.code, IMAGE_UNAVAILABLE.code})
_COLORS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTICE: "cyan"}


def print_issues(issues: Sequence[Issue], settings: Settings) -> None:
    """Print every issue that is not permitted, and how many are."""
    shown = sorted(
        (issue for issue in issues if not issue.permitted),
        key=lambda issue: (
            not issue.blocks,
            issue.severity is Severity.NOTICE,
            issue.component,
            issue.code,
        ),
    )
    for issue in shown:
        word = click.style(f"{issue.severity.value}:", fg=_COLORS[issue.severity])
        who = f"{issue.component}: " if issue.component else ""
        lines = [f"{word} {escape_controls(who + issue.message, keep_lines=True)} [{issue.code}]"]
        if issue.file:
            place = f"{issue.file}:{issue.line}" if issue.line else issue.file
            lines.append(f"  at {escape_controls(place)}")
        if issue.hint:
            lines.append(f"  {escape_controls(issue.hint, keep_lines=True)}")
        click.echo("\n".join(lines), err=True, color=settings.colored)
    permitted = len(issues) - len(shown)
    if permitted and not settings.quiet:
        click.echo(f"{count_of(permitted, 'issue')} permitted by the stream", err=True)


def stop_on_issues(issues: Sequence[Issue], *, doing: str) -> None:
    """Raise ``find_obstacle``, if there is one; the issues have been printed."""
    obstacle = find_obstacle(issues, doing=doing)
    if obstacle is not None:
        raise obstacle


def find_obstacle(issues: Sequence[Issue], *, doing: str) -> OkdPayloadError | None:
    """The error that ``issues`` are before ``doing``, None when none of them blocks.

    What could not be reached fails the work; anything else is an input to be mended.
    """
    blocking = [issue for issue in issues if issue.blocks]
    if not blocking:
        return None
    message = f"{count_of(len(blocking), 'error')} before {doing}"
    if all(issue.code in _UNAVAILABLE for issue in blocking):
        return InputsUnavailable(message, hint="run the same command again when they can be had")
    return BlockedByIssues(
        message,
        hint="mend them, or permit a code with its reason under `permits` in the stream file",
    )


def count_of(number: int, noun: str) -> str:
    """``number`` of something, as people say it."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
