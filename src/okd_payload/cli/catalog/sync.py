# SPDX-License-Identifier: Apache-2.0
"""``okd-payload catalog sync``: a catalog beside a release, and brought in step with it."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from okd_payload.build.sync.comparison import Comparison, compare
from okd_payload.build.sync.differences import Difference, Kind, issue_of
from okd_payload.build.sync.file_changes import FileChange, draw_patch, write_changes
from okd_payload.build.sync.mending import mend
from okd_payload.build.sync.release_images import (
    ReleaseImage,
    ReleaseImages,
    images_of,
    read_labels,
    read_release_file,
)
from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.load import load_catalog, load_definitions
from okd_payload.cli.catalog.stream_file import find_stream_file
from okd_payload.cli.issues import count_of
from okd_payload.cli.loop import run_async
from okd_payload.cli.output import escape_controls, output_option, print_document, print_table
from okd_payload.cli.progress import show_progress
from okd_payload.cli.registry_options import registry_options, registry_settings
from okd_payload.cli.release.locate import (
    ReleaseChoice,
    locate_release,
    release_choice_options,
    take_release_choice,
)
from okd_payload.cli.services import Services, open_services
from okd_payload.cli.settings import Settings
from okd_payload.errors import ContentError, InputError, PartlyDone, RegistryError, ReleaseError
from okd_payload.oci.platform import host_platform
from okd_payload.source.lock import Lock, read_lock

if TYPE_CHECKING:  # loads the HTTP client
    from okd_payload.oci.registry import RegistrySettings


class PrintedSync(msgspec.Struct, frozen=True, kw_only=True):
    """A comparison, as ``-o json`` prints it."""

    stream: str
    release: str
    differences: tuple[Difference, ...]
    helpers: tuple[str, ...]
    """Tags that no payload has and something in it is built on."""
    stubs: dict[str, str]
    """Tags that something else stands in for, and why."""
    files: tuple[str, ...]
    """What would be changed, or was."""


class _Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What to compare with, as it was typed."""

    release: str
    ocp: str
    lock: Path | None
    choice: ReleaseChoice


@click.command()
@click.argument("stream_file", required=False, metavar="[STREAM]", type=click.Path(path_type=Path))
@click.option(
    "--release", required=True, metavar="RELEASE", help="The release, or a file that lists one."
)
@click.option(
    "--ocp",
    default="",
    metavar="RELEASE",
    help="The release of OCP that it belongs to: classes are compared as well.",
)
@click.option("--check", is_flag=True, help="Exit with 1 when the lists of images differ.")
@click.option("--patch", is_flag=True, help="Print what would be changed as a patch.")
@click.option("--write", is_flag=True, help="Change the files of the catalog.")
@click.option(
    "--lock",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Read Dockerfiles at the commits of this lock file.",
)
@release_choice_options
@registry_options
@output_option("json", "yaml")
@click.pass_obj
def sync(
    settings: Settings,
    /,
    stream_file: Path | None,
    *,
    check: bool,
    patch: bool,
    write: bool,
    output: str | None,
    **options: Any,
) -> int | None:
    """Compare the definitions of STREAM with the images of a release.

    STREAM is a stream file or its folder; without it, stream.yaml of the current folder. RELEASE
    is a release, or a file with an ImageStream or what `release info -o json` prints.
    """
    if output and patch:
        raise InputError("--patch and --output are two ways to print the same")
    choice = take_release_choice(options)
    registries = registry_settings(options)
    catalog = load_catalog(find_stream_file(stream_file))
    wish = _Wish(**options, choice=choice)
    found = run_async(_compare(settings, catalog, wish, registries))
    changes = mend(catalog, found)
    if output:
        print_document(_describe(catalog, found, changes), output)
    elif patch:
        click.echo(draw_patch(changes, folder=Path(catalog.path).parent), nl=False)
    else:
        _print_text(catalog, found)
    if write:
        write_changes(changes)
        click.echo(f"{count_of(len(changes), 'file')} changed", err=True)
    return _exit_code(found, check=check, written=write)


async def _compare(
    settings: Settings,
    catalog: Catalog,
    wish: _Wish,
    registries: RegistrySettings,
) -> Comparison:
    with show_progress(settings) as progress:
        async with open_services(settings, progress, registries=registries) as services:

            async def complete(image: ReleaseImage) -> ReleaseImage:
                return await _read_labels(image, services)

            return await compare(
                catalog,
                load_definitions(Path(catalog.path)).definitions,
                await _read_release(wish.release, services, wish.choice),
                sources=services.sources,
                read_labels=complete,
                platform=host_platform(),
                lock=read_lock(wish.lock) if wish.lock else Lock(),
                ocp=await _read_release(wish.ocp, services, wish.choice) if wish.ocp else None,
            )


async def _read_release(text: str, services: Services, choice: ReleaseChoice) -> ReleaseImages:
    """The images of the release, or of the file, that ``text`` means."""
    file = _find_file(text)
    if file is not None:
        found = read_release_file(file)
    else:
        located = await locate_release(text, services, choice)
        found = images_of(located.release.references)
    if not found.images:
        raise ReleaseError(
            f"{text} has no images", hint="a catalog in step with it would have no definitions"
        )
    return found


def _find_file(text: str) -> Path | None:
    """The file that ``text`` names, when there is one."""
    path = Path(text)
    return path if path.is_file() else None


async def _read_labels(image: ReleaseImage, services: Services) -> ReleaseImage:
    """``image`` with what its labels say; as it is when it cannot be had."""
    from okd_payload.oci.image import read_image
    from okd_payload.oci.reference import parse_reference

    if not image.pull_spec:
        return image
    reference = parse_reference(image.pull_spec)
    try:
        repository = await services.open_cached(reference)
        return read_labels(image, await read_image(repository, reference.selector))
    except (RegistryError, ContentError):
        return image


def _describe(catalog: Catalog, found: Comparison, changes: tuple[FileChange, ...]) -> PrintedSync:
    folder = Path(catalog.path).parent
    return PrintedSync(
        stream=catalog.stream.name,
        release=found.release,
        differences=found.differences,
        helpers=found.helpers,
        stubs=found.stubs,
        files=tuple(os.path.relpath(change.path, folder) for change in changes),
    )


def _print_text(catalog: Catalog, found: Comparison) -> None:
    differences = found.differences
    counts = Counter(each.kind for each in differences if each.is_open)
    told = [f"{counts[kind]} {kind.value}" for kind in Kind if counts[kind]]
    click.echo(
        f"{catalog.stream.name} beside {found.release or 'the release'}: "
        f"{', '.join(told) or 'in step'}"
    )
    if found.helpers:
        click.echo(f"built for others only: {', '.join(found.helpers)}")
    for tag, reason in found.stubs.items():
        click.echo(f"{tag} is a stub: {escape_controls(reason)}")
    if differences:
        click.echo()
        print_table(("what", "image", "why", "state"), map(_row_of, differences))


def _row_of(difference: Difference) -> tuple[str, ...]:
    why = issue_of(difference).message
    state = "to do"
    if difference.permitted:
        state = f"accepted: {difference.permitted}"
    elif difference.obstacle:
        state = f"by hand: {difference.obstacle}"
    return difference.kind.value, difference.tag, why, state


def _exit_code(found: Comparison, *, check: bool, written: bool) -> int | None:
    """What the run ends with. Raises PartlyDone when sources could not be read."""
    waiting = [each for each in found.differences if each.is_open]
    unread = [each for each in waiting if each.unread]
    if unread:
        raise PartlyDone(
            f"{count_of(len(unread), 'difference')} of sources that cannot be read now: "
            + ", ".join(each.tag for each in unread),
            hint="run the same command again when they can be had",
        )
    if check:
        return 1 if any(each.is_of_lists for each in waiting) else None
    return 1 if written and any(each.obstacle for each in waiting) else None
