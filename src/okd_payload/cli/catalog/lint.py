# SPDX-License-Identifier: Apache-2.0
"""``okd-payload catalog lint``: everything that is wrong with definitions, overlays, pipelines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from okd_payload.build.codes import SOURCE_UNAVAILABLE
from okd_payload.build.inputs import Inputs, dockerfile_location, read_inputs
from okd_payload.catalog.component import Component
from okd_payload.catalog.lint.check import lint_catalog
from okd_payload.catalog.lint.reading import read_subject
from okd_payload.catalog.lint.subject import Subject
from okd_payload.cli.catalog.stream_file import find_stream_file
from okd_payload.cli.issues import count_of
from okd_payload.cli.linting import judge, lint_options, print_verdict
from okd_payload.cli.loop import run_async
from okd_payload.cli.output import output_option, print_document
from okd_payload.cli.progress import show_progress
from okd_payload.cli.services import open_services
from okd_payload.cli.settings import Settings
from okd_payload.clock import SystemClock
from okd_payload.issues import Issue
from okd_payload.progress import ignore_progress
from okd_payload.source.kept import KeptReadings
from okd_payload.source.lock import Lock, read_lock
from okd_payload.source.model import FolderSource

_AGAIN = 3
"""The exit code when sources could not be read, and nothing else failed."""


class PrintedLint(msgspec.Struct, frozen=True, kw_only=True):
    """What ``-o json`` prints."""

    paths: tuple[str, ...]
    definitions: int
    dockerfiles: int
    """How many of the definitions were checked against their Dockerfile."""
    sound: bool
    issues: tuple[Issue, ...]
    hidden: int
    """How many issues are less severe than what was asked for."""


@click.command()
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--dockerfiles", is_flag=True, help="Read the Dockerfiles out of the sources, too.")
@click.option(
    "--lock",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Take the commits of sources from this lock file.",
)
@lint_options
@output_option("json", "yaml")
@click.pass_obj
def lint(
    settings: Settings,
    /,
    paths: tuple[Path, ...],
    lock: Path | None,
    output: str | None,
    *,
    dockerfiles: bool,
    **options: Any,
) -> int:
    """Check the catalogs at PATH: what their files say together, and what nobody meant.

    PATH is a stream file or its folder, or any folder with BuildConfigs, kustomizations, Tekton
    pipelines or configurations of OpenShift CI; without it, stream.yaml of the current folder.
    Name all that belongs together at once. Dockerfiles count as far as they can be had without
    asking anybody; --dockerfiles reads all of them. The exit code is 1 when an error was found
    that is not permitted, and 3 when sources could not be read.
    """
    chosen = paths or (find_stream_file(None),)
    subject = read_subject(chosen)
    given = read_lock(lock) if lock else Lock()
    read = _read_here(subject, given, settings)
    if dockerfiles:
        missing = [each for each in _components(subject) if each.name not in read.dockerfiles]
        read += run_async(_read_sources(missing, given, settings))
    subject = msgspec.structs.replace(subject, dockerfiles=read.dockerfiles)
    permits = [permit for view in subject.views for permit in view.permits]
    verdict = judge([*lint_catalog(subject), *read.issues], options, permits=permits)
    if output:
        printed = PrintedLint(
            paths=tuple(map(str, chosen)),
            definitions=len(subject.definitions),
            dockerfiles=len(read.dockerfiles),
            sound=verdict.sound,
            issues=verdict.shown,
            hidden=verdict.hidden,
        )
        print_document(printed, output)
    else:
        print_verdict(verdict, settings)
        _print_summary(subject, read, sound=verdict.sound)
    if all(issue.code == SOURCE_UNAVAILABLE.code for issue in verdict.failing):
        return _AGAIN if verdict.failing else 0
    return 1


def _print_summary(subject: Subject, read: Inputs, *, sound: bool) -> None:
    counts = [
        (len(subject.definitions), "definition"),
        (len(subject.pipelines), "pipeline"),
        (len(subject.configurations), "configuration"),
        (len(read.dockerfiles), "Dockerfile"),
    ]
    told = ", ".join(count_of(number, noun) for number, noun in counts if number)
    click.echo(f"{told or 'nothing'}: {'nothing' if sound else 'something'} is wrong")


def _components(subject: Subject) -> list[Component]:
    """The component of each name, the first where several catalogs have one."""
    found: dict[str, Component] = {}
    for definition in subject.definitions:
        found.setdefault(definition.name, definition.component)
    return [*found.values()]


def _read_here(subject: Subject, lock: Lock, settings: Settings) -> Inputs:
    """The Dockerfiles in folders of this machine, and those of locked commits that were kept."""
    kept = KeptReadings(settings.locations, clock=SystemClock())
    found = {}
    for component in _components(subject):
        source, path = component.source, dockerfile_location(component)
        if isinstance(source, FolderSource):
            file = Path(source.path, path)
            if file.is_file():
                found[component.name] = file.read_bytes()
        elif source is not None:
            commit = lock.commit_of(component.name, source)
            read = kept.file(commit.id, path) if commit else None
            if read is not None and read.content is not None:
                found[component.name] = read.content
    return Inputs(dockerfiles=found)


async def _read_sources(components: Sequence[Component], lock: Lock, settings: Settings) -> Inputs:
    async with open_services(settings, ignore_progress) as services:
        with show_progress(settings) as services.progress:
            return await read_inputs(components, services.sources, lock=lock)
