# SPDX-License-Identifier: Apache-2.0
"""``okd-payload catalog import``: catalogs of other tools and of releases, in our own form."""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from okd_payload.build.codes import SOURCE_UNAVAILABLE
from okd_payload.catalog.load import STREAM_FILE, load_stream
from okd_payload.catalog.writing.catalog_files import CatalogFiles, write_catalog
from okd_payload.catalog.writing.component_text import COMPONENTS
from okd_payload.catalog.writing.folder import (
    Change,
    FileChange,
    carry_out,
    is_vacant,
    plan_writing,
)
from okd_payload.catalog.writing.importing import (
    Imported,
    import_build_configs,
    import_configurations,
    import_kustomization,
)
from okd_payload.cli.catalog.component_rows import (
    PrintedComponent,
    describe_component,
    print_components,
)
from okd_payload.cli.catalog.import_options import (
    ImportWish,
    import_options,
    take_import_wish,
)
from okd_payload.cli.issues import count_of, print_issues
from okd_payload.cli.loop import run_async
from okd_payload.cli.output import output_option, print_document, print_table
from okd_payload.cli.progress import show_progress
from okd_payload.cli.registry_options import registry_options, registry_settings
from okd_payload.cli.release.locate import (
    ReleaseChoice,
    locate_release,
    release_choice_options,
    take_release_choice,
)
from okd_payload.cli.services import open_services
from okd_payload.cli.settings import Settings
from okd_payload.errors import InputError
from okd_payload.issues import Issue

if TYPE_CHECKING:  # loads the HTTP client
    from okd_payload.oci.registry import RegistrySettings


class PrintedFile(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of one file, as ``-o json`` prints it."""

    path: str
    change: Change


class PrintedImport(msgspec.Struct, frozen=True, kw_only=True):
    """An import, as ``-o json`` prints it."""

    stream: str
    components: tuple[PrintedComponent, ...]
    imports: tuple[str, ...]
    """The tags that are not built."""
    files: tuple[PrintedFile, ...]
    issues: tuple[Issue, ...]


@click.command("import")
@import_options
@click.option(
    "--to", "folder", type=click.Path(path_type=Path), metavar="DIR", help="Write it to DIR."
)
@click.option("--write", is_flag=True, help="Change the catalog that is at DIR already.")
@output_option("json", "yaml")
@release_choice_options
@registry_options
@click.pass_obj
def import_catalog(
    settings: Settings,
    /,
    folder: Path | None,
    *,
    write: bool,
    output: str | None,
    **options: Any,
) -> int:
    """Make a catalog in our own form out of another one, or out of a release.

    Without --to nothing is written, and with it nothing that is there is changed unless --write
    says so. The exit code is 3 when the source of a component could not be read, and 1 when a
    definition was left out.
    """
    choice = take_release_choice(options)
    registries = registry_settings(options)
    wish = take_import_wish(options)
    if write and folder is None:
        raise InputError("--write goes with --to")
    imported = (
        run_async(_import_release(settings, wish, choice, registries))
        if wish.release
        else _import_files(wish)
    )
    files, changes = _plan(imported, folder)
    issues = (*imported.issues, *files.issues)
    is_new = folder is None or is_vacant(folder)
    if folder is not None and (is_new or write):
        carry_out(folder, changes)
    if output:
        print_document(_describe(imported, changes, issues), output)
    else:
        _print_text(imported, () if is_new else changes)
    print_issues(issues, settings)
    if folder is not None:
        _tell(folder, changes, written=is_new or write)
    if any(issue.code == SOURCE_UNAVAILABLE.code for issue in issues):
        return 3
    return 1 if any(issue.blocks for issue in issues) else 0


def _import_files(wish: ImportWish) -> Imported:
    if wish.ci_operator:
        return import_configurations(
            wish.ci_operator,
            branch=wish.branch,
            variant=wish.variant,
            stream=wish.promotes_to,
            name=wish.name,
        )
    if wish.build_configs:
        return import_build_configs(
            wish.build_configs, image_stream=wish.image_stream, name=wish.name
        )
    return import_kustomization(
        wish.kustomization or Path(), image_stream=wish.image_stream, name=wish.name
    )


async def _import_release(
    settings: Settings, wish: ImportWish, choice: ReleaseChoice, registries: RegistrySettings
) -> Imported:
    from okd_payload.build.release_catalog import import_release

    with show_progress(settings) as progress:
        async with open_services(settings, progress, registries=registries) as services:
            located = await locate_release(wish.release, services, choice)
            return await import_release(
                located.release,
                services.sources,
                name=wish.name,
                follow_branches=wish.follow_branches,
            )


def _plan(imported: Imported, folder: Path | None) -> tuple[CatalogFiles, tuple[FileChange, ...]]:
    """The files of the catalog, and what writing them to ``folder`` would change."""
    existing = folder / STREAM_FILE if folder is not None else None
    stream = load_stream(existing) if existing is not None and existing.is_file() else None
    if stream is not None and not any(
        posixpath.normpath(source.components) == COMPONENTS
        for source in stream.catalog
        if source.components
    ):
        raise InputError(
            f"{existing} takes no components from {COMPONENTS}/, where they would be written",
            hint=f"add {{components: {COMPONENTS}}} to its `catalog`, or choose another folder",
        )
    files = write_catalog(imported.catalog, existing=stream)
    return files, plan_writing(folder, files) if folder is not None else ()


def _tell(folder: Path, changes: tuple[FileChange, ...], *, written: bool) -> None:
    """Say what was written. Raises InputError when something is to do and was not done."""
    wanted = [each for each in changes if each.change in (Change.NEW, Change.CHANGED)]
    if wanted and not written:
        raise InputError(
            f"{folder} is not empty, so nothing was written",
            hint="--write makes the changes above; what people wrote besides stays",
        )
    click.echo(f"{count_of(len(wanted), 'file')} written to {folder}", err=True)


def _describe(
    imported: Imported, changes: tuple[FileChange, ...], issues: tuple[Issue, ...]
) -> PrintedImport:
    return PrintedImport(
        stream=imported.catalog.stream,
        components=_components(imported),
        imports=tuple(entry.name for entry in imported.catalog.imports),
        files=tuple(PrintedFile(path=each.path, change=each.change) for each in changes),
        issues=issues,
    )


def _components(imported: Imported) -> tuple[PrintedComponent, ...]:
    catalog = imported.catalog
    found = (each.component for each in catalog.definitions)
    return tuple(
        describe_component(each, evidence=catalog.evidence.get(each.name, ""))
        for each in sorted(found, key=lambda each: each.name)
    )


def _print_text(imported: Imported, changes: tuple[FileChange, ...]) -> None:
    """The components, or what becomes of the files that are there already."""
    components = _components(imported)
    taken = imported.catalog.imports
    click.echo(
        f"{imported.catalog.stream}: {count_of(len(components), 'component')}, "
        f"{count_of(len(taken), 'import')}\n"
    )
    if not changes:
        print_components(components)
        return
    rows = [(each.change.value, each.path) for each in changes if each.change != Change.SAME]
    print_table(("change", "file"), rows)
