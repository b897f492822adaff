# SPDX-License-Identifier: Apache-2.0
"""``okd-payload catalog show``: the components that form a stream."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.definition import Import, OtherTag, PulledImage
from okd_payload.catalog.load import load_catalog
from okd_payload.cli.catalog.component_rows import (
    PrintedComponent,
    PrintedOrigin,
    describe_component,
    print_components,
)
from okd_payload.cli.catalog.stream_file import find_stream_file
from okd_payload.cli.issues import count_of, print_issues
from okd_payload.cli.output import output_option, print_document, print_table
from okd_payload.cli.settings import Settings
from okd_payload.issues import Issue, apply_permits


class PrintedImport(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A tag that is not built, as ``-o json`` prints it."""

    tag: str
    image: str
    """What it is: a pull spec, another tag, or a command."""
    stub: str
    """The reason, when it stands in for a component that is not built."""
    origin: PrintedOrigin


class PrintedSkipped(msgspec.Struct, frozen=True, kw_only=True):
    """A component that the stream leaves out, as ``-o json`` prints it."""

    name: str
    tag: str
    reason: str


class PrintedCatalog(msgspec.Struct, frozen=True, kw_only=True):
    """A catalog, as ``-o json`` prints it."""

    stream: str
    components: tuple[PrintedComponent, ...]
    imports: tuple[PrintedImport, ...]
    skipped: tuple[PrintedSkipped, ...]
    issues: tuple[Issue, ...]


@click.command()
@click.argument("stream", required=False, type=click.Path(path_type=Path))
@output_option("json", "yaml")
@click.pass_obj
def show(settings: Settings, /, stream: Path | None, *, output: str | None) -> int:
    """List the components of STREAM: tag, source, ref, Dockerfile, class, and where defined.

    STREAM is a stream file or its folder; without it, stream.yaml of the current folder. No
    source is read. The exit code is 1 when something is wrong with the catalog.
    """
    printed = _describe(load_catalog(find_stream_file(stream)))
    if output:
        print_document(printed, output)
    else:
        _print_text(printed)
    print_issues(printed.issues, settings)
    return 1 if any(issue.blocks for issue in printed.issues) else 0


def _describe(catalog: Catalog) -> PrintedCatalog:
    return PrintedCatalog(
        stream=catalog.stream.name,
        components=tuple(describe_component(each) for each in catalog.components),
        imports=tuple(_describe_import(entry) for entry in catalog.imports),
        skipped=tuple(
            PrintedSkipped(name=each.name, tag=each.tag, reason=each.reason)
            for each in catalog.skipped
        ),
        issues=tuple(apply_permits(catalog.issues, catalog.stream.permits)),
    )


def _describe_import(entry: Import) -> PrintedImport:
    content = entry.content
    if isinstance(content, PulledImage):
        image = content.pull_spec
    else:
        image = content.tag if isinstance(content, OtherTag) else " ".join(content.command)
    return PrintedImport(
        tag=entry.name,
        image=image,
        stub=entry.stub,
        origin=PrintedOrigin(file=entry.origin.file, line=entry.origin.line),
    )


def _print_text(printed: PrintedCatalog) -> None:
    click.echo(
        f"{printed.stream}: {count_of(len(printed.components), 'component')}, "
        f"{count_of(len(printed.imports), 'import')}, {len(printed.skipped)} left out\n"
    )
    print_components(printed.components)
    if printed.imports:
        click.echo()
        rows = [(entry.tag, entry.image, entry.stub or "-") for entry in printed.imports]
        print_table(("import", "image", "stands in because"), rows)
    if printed.skipped:
        click.echo()
        print_table(("left out", "why"), [(each.name, each.reason) for each in printed.skipped])
