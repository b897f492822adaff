# SPDX-License-Identifier: Apache-2.0
"""``okd-payload release info``: what a release is made of, or how two differ."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from okd_payload.cli.loop import run_async
from okd_payload.cli.output import escape_controls, print_error
from okd_payload.cli.release.locate import (
    Located,
    ReleaseChoice,
    locate_release,
    release_choice_options,
    take_release_choice,
)
from okd_payload.cli.release.options import (
    find_content,
    print_go_json,
    release_registry_options,
    release_registry_settings,
    tell_progress,
)
from okd_payload.cli.services import Services, open_services
from okd_payload.cli.settings import Settings
from okd_payload.errors import InputError, OkdPayloadError
from okd_payload.oci.image import Image
from okd_payload.release.components import look_up, require_all
from okd_payload.release.inputs import pull_spec_of
from okd_payload.release.load import Release
from okd_payload.release.report.compare import (
    Comparison,
    changed_images,
    changed_manifests,
    describe_comparison,
    unified_diff,
)
from okd_payload.release.report.describe import (
    ImageColumn,
    describe_contents,
    describe_release,
    find_image,
    list_images,
    list_sizes,
    shown_name,
)
from okd_payload.release.report.info_json import make_info
from okd_payload.release.times import format_time, from_seconds

if TYPE_CHECKING:  # loads the HTTP client
    from okd_payload.oci.registry import RegistrySettings

_COLUMNS = {
    "pullspecs": ImageColumn.PULL_SPEC,
    "commits": ImageColumn.COMMIT,
    "commit_urls": ImageColumn.COMMIT_URL,
}
_LINES = {
    "name": lambda tag: tag.name,
    "digest": lambda tag: pull_spec_of(tag).partition("@")[2],
    "pullspec": pull_spec_of,
}
_FOLDER = click.Path(file_okay=False, path_type=Path)
_DOCUMENTS = ("", "json", "yaml")
_BETWEEN = ("changelog", "bugs")
_LAYOUTS = ("commits", "commit_urls", "pullspecs", "contents", "size", "verify", "image_for")


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What to show of a release: at most one layout, or one of the formats."""

    layout: str = ""
    image_for: str = ""
    format: str = ""
    include_images: bool = False
    history: Path | None = None
    """The folder for histories, with a changelog or bugs."""
    ask_trackers: bool = True

    @property
    def compares(self) -> bool:
        """Whether two releases are compared, and not shown one after the other."""
        return not self.is_about_two and self.layout not in ("verify", "image_for")

    @property
    def is_about_two(self) -> bool:
        """Whether this shows what lies between two releases."""
        return self.layout in _BETWEEN


@click.command()
@click.argument("releases", nargs=-1, required=True, metavar="RELEASE...")
@click.option("--commits", is_flag=True, help="Show the commit of each image.")
@click.option("--commit-urls", is_flag=True, help="Show links to the commits.")
@click.option("--pullspecs", is_flag=True, help="Show the pull spec of each image.")
@click.option("--contents", is_flag=True, help="Show the files of the payload.")
@click.option("--size", is_flag=True, help="Show how large each image is.")
@click.option("--verify", is_flag=True, help="Look up every image, and show one line.")
@click.option("--image-for", default="", metavar="NAME", help="Show the pull spec of one image.")
@click.option("--include-images", is_flag=True, help="With -o json: also what each image says.")
@click.option("--changes-from", metavar="RELEASE", help="Show how RELEASE differs from this one.")
@click.option(
    "--changelog",
    type=_FOLDER,
    metavar="DIR",
    help="Show what changed between two releases; DIR is for copies of histories.",
)
@click.option(
    "--bugs",
    type=_FOLDER,
    metavar="DIR",
    help="Show the bugs that the changes between two releases name; DIR as above.",
)
@click.option("--skip-bug-check", is_flag=True, help="With --bugs: ask no tracker about them.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(("json", "yaml", "name", "digest", "pullspec")),
    help="Print the whole object, or one line for each image.",
)
@release_choice_options
@release_registry_options
@click.pass_obj
def info(
    settings: Settings, /, releases: tuple[str, ...], changes_from: str | None, **options: Any
) -> int:
    """Show what RELEASE is made of; of two, how they differ.

    RELEASE is HOST/PATH[:TAG|@DIGEST], oci:DIR:TAG, a folder with the files of a payload, or the
    name of a release that was built here, that a stream has published, or that a graph knows.
    """
    choice = take_release_choice(options)
    registries = release_registry_settings(options)
    content = options.pop("content")
    if changes_from:
        releases = (changes_from, *releases)
    shown = _read_shown(options)
    if len(releases) == 2 and shown.compares and shown.format not in _DOCUMENTS:
        raise InputError(
            f"unrecognized output mode: {shown.format}",
            hint="of two releases the difference is shown; give one, or take -o json",
        )
    if (shown.is_about_two or changes_from) and len(releases) != 2:
        raise InputError(
            "--changelog/--bugs require --changes-from",
            hint="they take two releases: the older one, and the newer one",
        )
    job = _Info(settings, shown, choice)
    return run_async(job.run(releases, registries=registries, content=content))


def _read_shown(options: dict[str, Any]) -> Shown:
    layouts = (*_LAYOUTS, *_BETWEEN)
    chosen = [name for name in layouts if options[name]]
    if len(chosen) > 1:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in layouts)
        raise InputError(f"only one of {flags} may be specified")
    if options["image_for"] and options["output"]:
        raise InputError("--output and --image-for may not both be specified")
    if options["skip_bug_check"] and not options["bugs"]:
        raise InputError("--skip-bug-check requires --bugs")
    return Shown(
        layout=chosen[0] if chosen else "",
        image_for=options["image_for"],
        format=options["output"] or "",
        include_images=options["include_images"],
        history=options["changelog"] or options["bugs"],
        ask_trackers=not options["skip_bug_check"],
    )


class _Info:
    """One run of the command."""

    def __init__(self, settings: Settings, shown: Shown, choice: ReleaseChoice) -> None:
        self._settings = settings
        self._shown = shown
        self._choice = choice

    async def run(
        self, releases: tuple[str, ...], *, registries: RegistrySettings, content: str
    ) -> int:
        progress = tell_progress(self._settings)
        async with open_services(self._settings, progress, registries=registries) as services:
            if len(releases) == 2 and (self._shown.compares or self._shown.is_about_two):
                before, after = [
                    await locate_release(text, services, self._choice) for text in releases
                ]
                if self._shown.is_about_two:
                    return await self._show_history(before.release, after.release, services)
                self._compare(before, after, services)
                return 0
            return await self._show_each(releases, services, content)

    async def _show_each(self, releases: tuple[str, ...], services: Services, content: str) -> int:
        """Show all that can be shown; of several, one that cannot stops no other."""
        failed: list[OkdPayloadError] = []
        for number, text in enumerate(releases):
            try:
                located = await locate_release(text, services, self._choice)
                if number and self._shown.format == "yaml":
                    click.echo("---")
                await self._show(located, services, content)
            except OkdPayloadError as error:
                if len(releases) == 1:
                    raise
                print_error(error.message, error.hint, colored=self._settings.colored)
                failed.append(error)
        return max((error.exit_code for error in failed), default=0)

    async def _show_history(self, before: Release, after: Release, services: Services) -> int:
        from okd_payload.cli.release import history_options

        histories = history_options.Histories(folder=self._shown.history)
        changelog = await history_options.read_changelog(
            before, after, services=services, histories=histories
        )
        output = self._shown.format
        if self._shown.layout == "changelog":
            return history_options.show_changelog(changelog, output or "markdown")
        return await history_options.show_bugs(
            changelog, services=services, output=output, ask=self._shown.ask_trackers
        )

    async def _show(self, loaded: Located, services: Services, content: str) -> None:
        shown, release = self._shown, loaded.release
        needs_images = shown.layout in ("size", "verify") or shown.include_images
        images = {}
        if needs_images:
            asks_for_them = shown.layout == "verify"
            images = await _look_up(release, services, content, cached=not asks_for_them)
        if shown.layout == "verify":
            created = release.references.metadata.creation_timestamp
            when = format_time(created) if created else ""
            click.echo(f"{release.digest or ''} {when} {shown_name(release)}".strip())
        elif shown.layout == "image_for":
            click.echo(find_image(release, shown.image_for))
        elif shown.layout == "contents":
            sys.stdout.buffer.write(describe_contents(release.content))
        elif shown.format in _LINES:
            for line in filter(None, map(_LINES[shown.format], release.tags)):
                click.echo(escape_controls(line))
        elif shown.format:
            info = make_info(
                release,
                pull_spec=loaded.typed,
                images=images if shown.include_images else None,
            )
            print_go_json(info, shown.format)
        else:
            self._describe(loaded, images, services)

    def _describe(self, loaded: Located, images: dict[str, Image], services: Services) -> None:
        if self._shown.layout == "size":
            now = from_seconds(int(services.clock.now()))
            lines = list_sizes(loaded.release, images, now=now)
        else:
            column = _COLUMNS.get(self._shown.layout, ImageColumn.DIGEST)
            lines = list_images(loaded.release, column)
        text = describe_release(loaded.release, pull_from=loaded.pull_from, images=lines)
        click.echo(escape_controls(text, keep_lines=True), nl=False)

    def _compare(self, before: Located, after: Located, services: Services) -> None:
        if self._shown.format:
            comparison = Comparison(
                before=make_info(before.release, pull_spec=before.typed),
                after=make_info(after.release, pull_spec=after.typed),
                changed_images=changed_images(before.release, after.release),
                changed_manifests=changed_manifests(before.release, after.release),
            )
            print_go_json(comparison, self._shown.format)
            return
        now = from_seconds(int(services.clock.now()))
        if self._shown.layout == "contents":
            text = unified_diff(before.release, after.release)
        else:
            text = describe_comparison(
                before.release,
                after.release,
                now=now,
                commits=self._shown.layout in ("commits", "commit_urls"),
            )
        click.echo(escape_controls(text, keep_lines=True), nl=False)


async def _look_up(
    release: Release, services: Services, content: str, *, cached: bool
) -> dict[str, Image]:
    repository_of = await find_content(content, services, cached=cached)
    return require_all(await look_up(release.tags, repository_of))
