# SPDX-License-Identifier: Apache-2.0
"""``okd-payload release mirror``: bring a whole release to other places, or into a directory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from okd_payload.cli.loop import run_async
from okd_payload.cli.output import escape_controls, output_option, print_document
from okd_payload.cli.progress import show_progress
from okd_payload.cli.release.locate import (
    ReleaseChoice,
    find_release,
    release_choice_options,
    take_release_choice,
)
from okd_payload.cli.release.mirror_options import (
    MirrorRequest,
    mirror_options,
    read_mirror_request,
)
from okd_payload.cli.release.options import (
    find_content,
    release_registry_options,
    release_registry_settings,
)
from okd_payload.cli.services import Services, open_services
from okd_payload.cli.settings import Settings
from okd_payload.errors import PartlyDone, ReleaseError
from okd_payload.oci.digest import hex_of
from okd_payload.oci.location import DiskLocation
from okd_payload.oci.reference import DEFAULT_TAG
from okd_payload.oci.transfer import ImageCopier, JournalFile
from okd_payload.release.load import Release, load_release
from okd_payload.release.mirror.files import write_files
from okd_payload.release.mirror.instructions import (
    MirrorSet,
    SourceMirrors,
    find_mirrors,
    instruction_files,
    instructions,
)
from okd_payload.release.mirror.plan import MirrorPlan, plan_mirror
from okd_payload.release.mirror.report import failure_lines, mirror_repositories, summary
from okd_payload.release.mirror.run import (
    MirrorCopy,
    Mirrored,
    Source,
    carry_out,
    open_copies,
    preview,
)
from okd_payload.release.mirror.signatures import CARRIED_FOLDER, find_signatures

if TYPE_CHECKING:  # loads the HTTP client
    from okd_payload.oci.registry import RegistrySettings

_DEPRECATED = (
    "note: ImageContentSourcePolicy is deprecated; --print-mirror-instructions=idms prints an"
    " ImageDigestMirrorSet"
)


@click.command()
@click.argument("release", required=False)
@mirror_options
@release_choice_options
@release_registry_options
@output_option("json", "yaml")
@click.pass_obj
def mirror(settings: Settings, /, release: str | None, output: str | None, **options: Any) -> int:
    """Bring RELEASE and all its images, signatures included, to every target of --to.

    RELEASE is HOST/PATH[:TAG|@DIGEST], file://PATH:TAG in --from-dir, oci:DIR:TAG, or the name of
    a release. What is there already is not sent again; everything is read back at the end. After
    an interruption, or when some images failed (exit code 3), the same command goes on.
    """
    request = read_mirror_request(release, options)
    choice = take_release_choice(options)
    registries = release_registry_settings(options)
    job = _Mirror(settings, request, choice, output=output)
    return run_async(job.run(registries, content=options.pop("content")))


class _Mirror:
    """One run of the command."""

    def __init__(
        self,
        settings: Settings,
        request: MirrorRequest,
        choice: ReleaseChoice,
        *,
        output: str | None,
    ) -> None:
        self._settings = settings
        self._request = request
        self._choice = choice
        self._output = output

    async def run(self, registries: RegistrySettings, *, content: str) -> int:
        request = self._request
        with show_progress(self._settings) as progress:
            async with open_services(self._settings, progress, registries=registries) as services:
                source, release = await self._load(services)
                plan = plan_mirror(
                    release,
                    request.targets,
                    release_target=request.release_target,
                    skip_release=request.skip_release,
                )
                copies = await open_copies(
                    plan,
                    source,
                    repository_of=await find_content(content, services),
                    open_target=services.open_target,
                )
                if request.only_print:
                    for each in copies:
                        click.echo(f"{each.source} {each.item.target}")
                    return 0
                mirrored = await self._bring(plan, copies, services)
                rules = find_mirrors(
                    self._sources(plan, source),
                    mirror_repositories(
                        [target.repository for target in request.targets]
                        + ([request.release_target] if request.release_target else [])
                    ),
                )
                files = () if mirrored.report.failed else self._write(rules)
                if not mirrored.report.failed:
                    files += await self._write_signatures(release, source, services)
        return self._tell(plan, mirrored, rules, files)

    async def _load(self, services: Services) -> tuple[Source, Release]:
        text = self._request.release
        place = await find_release(text, services, self._choice)
        if isinstance(place, Path):
            raise ReleaseError(
                f"{text} is a folder with the files of a release, and not its image",
                hint="give the pull spec of the release, oci:DIR:TAG or file://PATH:TAG",
            )
        repository = await services.open_release(place)
        release = await load_release(
            repository, place.selector or DEFAULT_TAG, platforms=self._choice.platforms
        )
        return Source(repository, place), release

    async def _bring(
        self, plan: MirrorPlan, copies: list[MirrorCopy], services: Services
    ) -> Mirrored:
        if self._request.dry_run:
            copier = ImageCopier(progress=services.tell)
            return preview(plan, copies, await copier.plan([each.copy for each in copies]))
        images = len({each.item.component for each in copies})
        for target in () if self._settings.quiet else self._request.targets:
            click.echo(f"info: Mirroring {images} images to {target.typed} ...", err=True)
        path = services.locations.mirrors / f"{hex_of(plan.digest)}.journal"
        with JournalFile(path) as journal:
            copier = ImageCopier(progress=services.tell, journal=journal)
            return await carry_out(plan, copies, copier)

    def _sources(self, plan: MirrorPlan, source: Source) -> set[str]:
        """The repositories that clusters are told to look for elsewhere."""
        own = set() if source.is_local else {source.location.repository}
        return set(plan.repositories) | own

    def _write(self, rules: tuple[SourceMirrors, ...]) -> tuple[Path, ...]:
        folder = self._request.instructions_folder
        if folder is None or self._request.dry_run or not rules or not rules[0].mirrors:
            return ()
        return tuple(write_files(folder, instruction_files(rules)))

    async def _write_signatures(
        self, release: Release, source: Source, services: Services
    ) -> tuple[Path, ...]:
        """Write the signatures into every folder that wants them; without any, warn."""
        request = self._request
        folders = {
            folder: None
            for folder in (request.signatures_folder, request.instructions_folder)
            if folder is not None
        }
        if not folders:
            return ()
        carried = None
        if isinstance(source.location, DiskLocation):
            carried = source.location.folder / CARRIED_FOLDER
        found = await find_signatures(release, request.signature_stores, services, carried=carried)
        for warning in found.warnings:
            click.echo(escape_controls(f"warning: {warning}"), err=True)
        if request.dry_run:
            paths = [folder / name for folder in folders for name in found.files]
            for path in paths:
                click.echo(f"info: Write configmap signature file {path}", err=True)
            return ()
        return tuple(path for folder in folders for path in write_files(folder, found.files))

    def _tell(
        self,
        plan: MirrorPlan,
        mirrored: Mirrored,
        rules: tuple[SourceMirrors, ...],
        files: tuple[Path, ...],
    ) -> int:
        report = msgspec.structs.replace(mirrored.report, files=tuple(map(str, files)))
        for line in failure_lines(report):
            click.echo(escape_controls(f"error: {line}"), err=True)
        if self._output:
            print_document(report, self._output)
        elif self._request.dry_run:
            for line in mirrored.lines:
                click.echo(f"would bring {line}", err=True)
        else:
            for line in mirrored.lines:
                click.echo(line)
        if report.failed:
            raise PartlyDone(
                f"{len(report.failed)} of {len(report.images)} images are not at their target",
                hint="the same command goes on with the rest",
            )
        if not self._output:
            self._tell_the_end(plan, rules)
            for path in files:
                if path.name.startswith("signature-"):
                    click.echo(f"Configmap signature file {path} created")
        return 0

    def _tell_the_end(self, plan: MirrorPlan, rules: tuple[SourceMirrors, ...]) -> None:
        request = self._request
        click.echo(summary(plan, request.targets, typed=request.typed_targets), nl=False)
        if request.instructions != "none" and rules and rules[0].mirrors:
            if request.instructions == "icsp":
                click.echo(_DEPRECATED, err=True)
            click.echo(instructions(MirrorSet[request.instructions.upper()], rules), nl=False)
