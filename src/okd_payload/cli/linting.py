# SPDX-License-Identifier: Apache-2.0
"""What all commands that lint share: what is shown, what is accepted, and what fails."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import click
import msgspec

from okd_payload.cli.issues import count_of, print_issues
from okd_payload.cli.option_groups import option_group
from okd_payload.cli.settings import Settings
from okd_payload.issues import Issue, Permit, Severity, apply_permits

_REASON = "permitted on the command line"
_SEVERITIES = tuple(severity.value for severity in Severity)
"""The gravest first."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What was found, as far as it is to be shown."""

    shown: tuple[Issue, ...]
    hidden: int
    """How many issues are less severe than what was asked for."""
    sound: bool
    """Whether nothing blocks."""
    failing: tuple[Issue, ...]
    """What makes the command fail."""


lint_options = option_group(
    click.option(
        "--permit",
        multiple=True,
        metavar="CODE[=COMPONENT]",
        help="A kind of issue to accept, of one component or of all.",
    ),
    click.option(
        "--severity",
        type=click.Choice(_SEVERITIES),
        default=Severity.WARNING.value,
        show_default=True,
        help="Show what is at least so severe.",
    ),
    click.option(
        "--fail-on",
        type=click.Choice(_SEVERITIES),
        default=Severity.ERROR.value,
        show_default=True,
        help="Exit with 1 for what is at least so severe.",
    ),
)
"""The options that ``judge`` takes."""


def judge(
    found: Iterable[Issue], options: dict[str, Any], *, permits: Sequence[Permit] = ()
) -> Verdict:
    """``found`` under the values of ``lint_options``, which are taken out of ``options``."""
    given = [_parse_permit(text) for text in options.pop("permit")]
    severity, fail_on = options.pop("severity"), options.pop("fail_on")
    issues = apply_permits(found, [*given, *permits])
    shown = tuple(issue for issue in issues if _is_at_least(issue, severity))
    return Verdict(
        shown=shown,
        hidden=len(issues) - len(shown),
        sound=not any(issue.blocks for issue in issues),
        failing=tuple(
            issue for issue in issues if not issue.permitted and _is_at_least(issue, fail_on)
        ),
    )


def print_verdict(verdict: Verdict, settings: Settings) -> None:
    """Print the issues for people, and how many there are besides."""
    print_issues(verdict.shown, settings)
    if verdict.hidden and not settings.quiet:
        told = f"{count_of(verdict.hidden, 'issue')} less severe: see them with --severity notice"
        click.echo(told, err=True)


def _is_at_least(issue: Issue, severity: str) -> bool:
    return _SEVERITIES.index(issue.severity.value) <= _SEVERITIES.index(severity)


def _parse_permit(text: str) -> Permit:
    code, _, component = text.partition("=")
    return Permit(code=code, component=component, reason=_REASON)
