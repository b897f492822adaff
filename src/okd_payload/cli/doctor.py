# SPDX-License-Identifier: Apache-2.0
"""``okd-payload doctor``: what this machine has, what it lacks, and the command that mends it."""

from __future__ import annotations

import os
from typing import Any

import click
import msgspec

from okd_payload.cli.cluster_doctor import diagnose_cluster, pod_options
from okd_payload.cli.cluster_options import cluster_options, refuse_without_cluster
from okd_payload.cli.issues import print_issues
from okd_payload.cli.loop import run_async
from okd_payload.cli.output import escape_controls, output_option, print_document
from okd_payload.cli.settings import Settings
from okd_payload.engines.buildah.check import Machine, check_machine
from okd_payload.engines.buildah.settings import BuildahSettings
from okd_payload.locations import Locations
from okd_payload.machine.examination import examine
from okd_payload.machine.model import Finding, Part, State

_PARTS = {
    Part.BUILD: "The main job: building components and payloads",
    Part.ROOTLESS: "The main job, not being root",
    Part.NETWORKS: "Networks of builds: some versions of buildah do nothing without",
    Part.ROOTS: "Own base images",
    Part.SIGNATURES: "Signing and verifying",
    Part.TESTS: "`make demo` and `make test`",
}
_MARKS = {
    State.PRESENT: ("ok", "green"),
    State.MISSING: ("missing", "red"),
    State.UNFIT: ("unfit", "red"),
}


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that ``doctor`` found out; what ``-o json`` prints."""

    ready: bool
    """Whether the main job can be done here."""
    distribution: str
    install: str
    findings: tuple[Finding, ...]
    builds: Machine | None
    """How a first small build went; None when it could not be tried."""


@click.command()
@click.option(
    "--cluster",
    "looks_at_cluster",
    is_flag=True,
    help="Look at a cluster instead; all options below are about it.",
)
@cluster_options
@pod_options
@output_option("json", "yaml")
@click.pass_obj
def doctor(
    settings: Settings, /, *, looks_at_cluster: bool, output: str | None, **options: Any
) -> int:
    """Show what this machine has and lacks, and how to mend it.

    With --cluster, show what a cluster lacks for building on it. The exit code is 0 when the main
    job can be done, else 1.
    """
    if looks_at_cluster:
        return diagnose_cluster(settings, output, options)
    if options["probes"]:
        raise click.UsageError("--probe tries out a cluster: say --cluster too")
    refuse_without_cluster(*options)
    diagnosis = run_async(_diagnose(settings.locations))
    if output:
        print_document(diagnosis, output)
    else:
        _print(diagnosis, settings)
    return 0 if diagnosis.ready else 1


async def _diagnose(locations: Locations) -> Diagnosis:
    examination = await examine(locations, as_root=os.geteuid() == 0)
    blocked = any(finding.blocks for finding in examination.findings)
    builds = None if blocked else await check_machine(locations, BuildahSettings())
    return Diagnosis(
        ready=builds is not None and not any(issue.blocks for issue in builds.issues),
        distribution=examination.distribution,
        install=examination.install,
        findings=examination.findings,
        builds=builds,
    )


def _print(diagnosis: Diagnosis, settings: Settings) -> None:
    click.echo(escape_controls(diagnosis.distribution))
    for part, title in _PARTS.items():
        findings = [finding for finding in diagnosis.findings if finding.part is part]
        if findings:
            click.echo(f"\n{title}")
        for finding in findings:
            _print_finding(finding)
    if diagnosis.install:
        click.echo(f"\nThis installs what is missing:\n  {diagnosis.install}")
    if diagnosis.builds:
        print_issues(diagnosis.builds.issues, settings)
    if diagnosis.builds and diagnosis.ready:
        click.echo(f"\nA first build went well, storage driver: {diagnosis.builds.driver}")
    verdict = "can be done" if diagnosis.ready else "cannot be done yet"
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
