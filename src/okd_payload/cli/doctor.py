# SPDX-License-Identifier: Apache-2.0
"""``okd-payload doctor``: what this machine has, what it lacks, and the command that mends it."""

from __future__ import annotations

import click

from okd_payload.cli.loop import run_async
from okd_payload.cli.output import escape_controls, output_option, print_document
from okd_payload.cli.settings import Settings
from okd_payload.machine.examination import examine, this_host
from okd_payload.machine.model import Examination, Finding, Part, State

_PARTS = {
    Part.BUILD: "The main job: building components and payloads",
    Part.ROOTLESS: "The main job, not being root",
    Part.ROOTS: "Own base images",
    Part.SIGNATURES: "Signing and verifying",
    Part.TESTS: "`make demo` and `make test`",
}
_MARKS = {
    State.PRESENT: ("ok", "green"),
    State.MISSING: ("missing", "red"),
    State.UNFIT: ("unfit", "red"),
}


@click.command()
@output_option("json", "yaml")
@click.pass_obj
def doctor(settings: Settings, output: str | None) -> int:
    """Show what this machine has and lacks, and how to mend it.

    The exit code is 0 when the main job can be done here, else 1.
    """
    examination = run_async(examine(settings.locations, this_host()))
    if output:
        print_document(examination, output)
    else:
        _print(examination)
    return 0 if examination.ready else 1


def _print(examination: Examination) -> None:
    click.echo(escape_controls(examination.distribution))
    for part, title in _PARTS.items():
        findings = [finding for finding in examination.findings if finding.part is part]
        if findings:
            click.echo(f"\n{title}")
        for finding in findings:
            _print_finding(finding)
    if examination.install:
        click.echo(f"\nThis installs what is missing:\n  {examination.install}")
    verdict = "can be done" if examination.ready else "cannot be done yet"
    click.echo(f"\nThe main job {verdict} on this machine.")


def _print_finding(finding: Finding) -> None:
    mark, color = _MARKS[finding.state]
    width = max(len(word) for word, _ in _MARKS.values())
    found = f" {escape_controls(finding.found)}" if finding.found else ""
    needed = f", needed: {finding.needed}" if finding.needed and finding.remedy else ""
    click.echo(
        f"  {click.style(mark.ljust(width), fg=color)}  {finding.name}{found}{needed}"
        f"  ({finding.purpose})"
    )
    if finding.remedy:
        click.echo(f"  {' ' * width}  -> {finding.remedy}")
