# SPDX-License-Identifier: Apache-2.0
"""``okd-payload release lint``: everything that is wrong with a release."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from okd_payload.cli.linting import judge, lint_options, print_verdict
from okd_payload.cli.loop import run_async
from okd_payload.cli.output import output_option, print_document
from okd_payload.cli.release.locate import (
    ReleaseChoice,
    locate_release,
    release_choice_options,
    take_release_choice,
)
from okd_payload.cli.release.options import (
    find_content,
    release_registry_options,
    release_registry_settings,
    tell_progress,
)
from okd_payload.cli.services import open_services
from okd_payload.cli.settings import Settings
from okd_payload.issues import Issue
from okd_payload.release.accept.unpack import unpack_image
from okd_payload.release.lint.base import lint_tree, read_tree
from okd_payload.release.lint.check import lint_release
from okd_payload.release.lint.operators import lint_operators
from okd_payload.release.load import ReleaseContent

if TYPE_CHECKING:  # loads the HTTP client
    from okd_payload.oci.registry import RegistrySettings


class PrintedLint(msgspec.Struct, frozen=True, kw_only=True):
    """What ``-o json`` prints."""

    release: str
    sound: bool
    issues: tuple[Issue, ...]
    hidden: int
    """How many issues are less severe than what was asked for."""


@click.command()
@click.argument("release")
@lint_options
@click.option("--files-only", is_flag=True, help="Do not look up any image.")
@release_choice_options
@release_registry_options
@output_option("json", "yaml")
@click.pass_obj
def lint(
    settings: Settings,
    /,
    release: str,
    output: str | None,
    *,
    files_only: bool,
    **options: Any,
) -> int:
    """Check RELEASE as strictly as a cluster would, and for what a cluster would not notice.

    RELEASE is HOST/PATH[:TAG|@DIGEST], oci:DIR:TAG, a folder with the files of a payload, one into
    which the whole payload was unpacked (with manifests/ and release-manifests/), or the
    name of a release that was built here, that a stream has published, or that a graph knows.
    The exit code is 1 when an error was found that is not permitted, which is what bars a release
    from clusters; --fail-on is stricter.
    """
    choice = take_release_choice(options)
    registries = release_registry_settings(options)
    found = run_async(
        _lint(
            settings,
            release,
            choice=choice,
            registries=registries,
            content=options.pop("content"),
            files_only=files_only,
        )
    )
    verdict = judge(found, options)
    if output:
        printed = PrintedLint(
            release=release, sound=verdict.sound, issues=verdict.shown, hidden=verdict.hidden
        )
        print_document(printed, output)
    else:
        print_verdict(verdict, settings)
        told = "nothing" if verdict.sound else "something"
        click.echo(f"{release}: {told} bars it from clusters")
    return 1 if verdict.failing else 0


async def _lint(
    settings: Settings,
    release: str,
    *,
    choice: ReleaseChoice,
    registries: RegistrySettings,
    content: str,
    files_only: bool,
) -> list[Issue]:
    unpacked = read_tree(Path(release))
    if unpacked:
        files = unpacked.release.files if unpacked.release else {}
        found = lint_release(ReleaseContent(origin=release, files=files))
        return [*found, *lint_tree(unpacked, release_image=release)]
    async with open_services(settings, tell_progress(settings), registries=registries) as services:
        located = await locate_release(release, services, choice)
        issues = lint_release(located.content)
        if located.repository is None or located.content.image is None or files_only:
            return issues
        image = await unpack_image(located.repository, located.content.image)
        name = str(located.pull_from or release)
        issues += lint_tree(image.tree, release_image=name)
        issues += await lint_operators(located.content, await find_content(content, services))
        return issues
