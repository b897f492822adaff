# SPDX-License-Identifier: Apache-2.0
"""Issues for people: one block each on standard error, blocking ones first."""

from __future__ import annotations

from collections.abc import Sequence

import click

from okd_payload.cli.output import escape_controls
from okd_payload.cli.settings import Settings
from okd_payload.errors import BlockedByIssues
from okd_payload.issues import Issue, Severity

_COLORS = {Severity.ERROR: "red", Severity.WARNING: "yellow"}


def print_issues(issues: Sequence[Issue], settings: Settings) -> None:
    """Print every issue that is not permitted, and how many are."""
    shown = sorted(
        (issue for issue in issues if not issue.permitted),
        key=lambda issue: (not issue.blocks, issue.component, issue.code),
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
        click.echo(f"{permitted} issues are permitted by the stream", err=True)


def stop_on_issues(issues: Sequence[Issue], *, doing: str) -> None:
    """Raise BlockedByIssues when one of ``issues`` blocks; they have been printed."""
    blocking = sum(issue.blocks for issue in issues)
    if blocking:
        what = "1 error" if blocking == 1 else f"{blocking} errors"
        raise BlockedByIssues(
            f"{what} before {doing}",
            hint="mend them, or permit a code with its reason under `permits` in the stream file",
        )
