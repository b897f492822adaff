# SPDX-License-Identifier: Apache-2.0
"""``okd-payload release extract``: manifests, tools and sources of a release."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from okd_payload.cli.issues import print_issues
from okd_payload.cli.loop import run_async
from okd_payload.cli.output import escape_controls, print_document
from okd_payload.cli.release.extract_options import (
    ExtractOptions,
    extract_options,
    take_extract_options,
)
from okd_payload.cli.release.locate import (
    Located,
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
from okd_payload.cli.services import Services, open_services
from okd_payload.cli.settings import Settings
from okd_payload.errors import InputError, PartlyDone
from okd_payload.oci.digest import is_digest
from okd_payload.oci.reference import Reference, parse_reference
from okd_payload.oci.threads import finish_in_thread
from okd_payload.release.extract.payload import all_files, describe_extraction, find_file
from okd_payload.release.output_folder import ExtractedFile, write_files

if TYPE_CHECKING:  # what only some runs need
    from okd_payload.release.extract.components import ComponentSource
    from okd_payload.release.load import Release
    from okd_payload.release.output_folder import NewFile
    from okd_payload.signing.signer import Signer

_CCOCTL = (
    "if you intend to pass CredentialsRequests to ccoctl, you should use --included to filter out"
    " requests that your cluster is not expected to need."
)


class PrintedExtraction(msgspec.Struct, frozen=True, kw_only=True):
    """What ``-o json`` prints."""

    release: str
    digest: str
    files: tuple[ExtractedFile, ...]


class PrintedSource(msgspec.Struct, frozen=True, kw_only=True):
    """One repository in what ``--git -o json`` prints."""

    url: str
    commit: str
    path: str
    components: tuple[str, ...]


@click.command()
@click.argument("release", required=False)
@extract_options
@release_choice_options
@release_registry_options
@click.pass_obj
def extract(settings: Settings, /, release: str | None, **options: Any) -> None:
    """Write the files of RELEASE, its command-line tools, or its sources, to a folder.

    RELEASE is HOST/PATH[:TAG|@DIGEST], oci:DIR:TAG, a folder with the files of a payload, or the
    name of a release. Without further options, all files of the payload are written as they are.
    """
    asked = take_extract_options(release, options)
    choice = take_release_choice(options)
    registries = release_registry_settings(options)
    content = options.pop("content")

    async def run() -> None:
        progress = tell_progress(settings)
        async with open_services(settings, progress, registries=registries) as services:
            located = await locate_release(asked.release, services, choice)
            await _Extraction(settings, asked, services, located).run(content)

    run_async(run())


class _Extraction:
    """One run of the command on a release that was found."""

    def __init__(
        self, settings: Settings, asked: ExtractOptions, services: Services, located: Located
    ) -> None:
        self._settings = settings
        self._asked = asked
        self._services = services
        self._located = located

    @property
    def _release(self) -> Release:
        """What the files say; those that are only copied need not say anything sensible."""
        return self._located.release

    async def run(self, content: str) -> None:
        asked = self._asked
        if asked.file:
            sys.stdout.buffer.write(find_file(self._located.content, asked.file))
            sys.stdout.flush()
        elif asked.git:
            await self._check_out(asked.git)
        elif asked.tools or asked.command:
            await self._make_tools(content)
        else:
            await self._write_files()

    async def _write_files(self) -> None:
        files = self._choose_files()
        if self._asked.output:
            _ = self._release  # fails before anything is written
        written = await finish_in_thread(write_files, files, self._asked.folder)
        if not self._asked.output:
            click.echo(escape_controls(self._first_line()))
        self._print(written)

    def _first_line(self) -> str:
        by_digest = is_digest(self._asked.release.rpartition("@")[2])
        return describe_extraction(self._located.content, by_digest=by_digest)

    def _choose_files(self) -> list[NewFile]:
        asked, content = self._asked, self._located.content
        if not (asked.credentials_requests or asked.included):
            return all_files(content)
        from okd_payload.release.extract.choose import choose_selection
        from okd_payload.release.extract.selection import select_files

        selection = choose_selection(
            self._release,
            credentials_requests=asked.credentials_requests,
            cloud=asked.cloud,
            install_config=asked.install_config,
        )
        selected = select_files(content, selection)
        print_issues(selected.issues, self._settings)
        if asked.credentials_requests and not asked.included:
            self._warn(_CCOCTL)
        return list(selected.files)

    async def _make_tools(self, content: str) -> None:
        from okd_payload.oci.memory import map_large_buffers
        from okd_payload.release.extract.targets import read_wish
        from okd_payload.release.extract.tools import Order, extract_tools

        asked = self._asked
        map_large_buffers()
        order = Order(
            wish=read_wish(asked.command, asked.platform),
            folder=asked.folder,
            pull_from=self._pull_from(),
            signer=await _open_signer(asked.signing_key, asked.passphrase_file)
            if asked.signing_key
            else None,
        )
        made = await extract_tools(
            self._release,
            order,
            repository_of=await find_content(content, self._services),
            progress=self._services.tell,
        )
        for warning in made.warnings:
            self._warn(warning)
        self._print(made.files)
        made.require_complete()

    def _pull_from(self) -> Reference | None:
        """Where clusters pull the release: by digest, as published."""
        digest = self._release.digest
        if self._asked.published_as and digest:
            published = parse_reference(self._asked.published_as)
            if published.tag or published.digest:
                raise InputError("--published-as names a repository, without tag and digest")
            return published.with_digest(digest)
        return self._located.pull_from

    async def _check_out(self, folder: Path) -> None:
        from okd_payload.release.extract.components import check_out_sources, sources_of
        from okd_payload.source.clone import Clones

        sources = sources_of(self._release.tags)
        if not sources:
            raise InputError(
                "no image of the release says where its source is",
                hint="images say so by the labels that `release new` copies into the release",
            )
        if self._asked.output == "commit":
            for source in sources:
                if source.folder:
                    click.echo(escape_controls(f"{folder / source.folder} {source.commit}"))
            return
        clones = Clones(clock=self._services.clock, progress=self._services.tell)
        issues = await check_out_sources(
            sources, folder, check_out=clones.check_out, progress=self._services.tell
        )
        print_issues(issues, self._settings)
        if self._asked.output:
            print_document([_show(source, folder) for source in sources], self._asked.output)
        failed = sum(issue.blocks for issue in issues)
        if failed:
            raise PartlyDone(
                f"{failed} of {len(sources)} repositories could not be checked out",
                hint="run the same command again: what is there stays",
            )

    def _print(self, files: list[ExtractedFile] | tuple[ExtractedFile, ...]) -> None:
        if self._asked.output:
            printed = PrintedExtraction(
                release=self._release.name,
                digest=self._release.digest or "",
                files=tuple(files),
            )
            print_document(printed, self._asked.output)

    def _warn(self, text: str) -> None:
        if not self._settings.quiet:
            click.echo(f"warning: {escape_controls(text)}", err=True)


def _show(source: ComponentSource, folder: Path) -> PrintedSource:
    return PrintedSource(
        url=source.url,
        commit=source.commit,
        path=str(folder / source.folder) if source.folder else "",
        components=source.components,
    )


async def _open_signer(key: str, passphrase_file: Path | None) -> Signer:
    """The key in the file ``key``, or else the one that gpg knows by this name."""
    from okd_payload.cli.release.signing_options import given_passphrase, passphrase_source

    path = Path(key)
    if await asyncio.to_thread(path.is_file):
        from okd_payload.signing.key_file import open_key_file

        return open_key_file(path, passphrase=passphrase_source(passphrase_file))
    from okd_payload.signing.gpg import open_gpg_key

    return await open_gpg_key(key, passphrase=given_passphrase(passphrase_file) or "")
