# SPDX-License-Identifier: Apache-2.0
"""The engine that runs ``buildah build`` on this machine, one process for each image.

What happens to a step: its commit is checked out, files of other images are copied into it, the
images it stands on are imported, buildah builds, and only the layer that it adds is taken over.
Everything happens in a workspace that is gone afterwards. See ``docs/decisions`` for why it is
done so and what was measured.
"""

from __future__ import annotations

import asyncio
import shlex
from pathlib import Path
from typing import IO

from okd_payload.build.engine import BuildStep, TellRetry, ignore_retry
from okd_payload.catalog.component import Layering
from okd_payload.engines.buildah import program
from okd_payload.engines.buildah.dockerfile import declare_epoch
from okd_payload.engines.buildah.drivers import Driver, find_driver
from okd_payload.engines.buildah.failures import failure_of, only_tidying_failed
from okd_payload.engines.buildah.image_config import EPOCH_ARGUMENT
from okd_payload.engines.buildah.limits import Limits, limited
from okd_payload.engines.buildah.parents import Parents, image_id
from okd_payload.engines.buildah.result import Results, expect_result
from okd_payload.engines.buildah.settings import BuildahSettings
from okd_payload.engines.buildah.storage import Storage, Workspace
from okd_payload.errors import BuildError, TransientBuildError
from okd_payload.locations import Locations
from okd_payload.oci.digest import Digest
from okd_payload.oci.image import Image, read_image
from okd_payload.oci.layers.compression import gzip_format
from okd_payload.oci.layers.extract import extract_path
from okd_payload.oci.layers.normalise import NORMAL_FORM
from okd_payload.oci.layout.files import storage_errors
from okd_payload.oci.repository import Repository
from okd_payload.source.model import SourceTree

_FORMAT = "1"
"""Raised when the code below changes what equal steps give."""


def format_version() -> str:
    """The format of this version on this processor, whichever machine or pod builds in it."""
    return f"buildah-{_FORMAT}/layer-{NORMAL_FORM}/{gzip_format()}"


class BuildahEngine:
    """Builds images into one repository; any number of builds at once."""

    def __init__(
        self,
        *,
        repository: Repository,
        sources: SourceTree,
        locations: Locations,
        settings: BuildahSettings | None = None,
    ) -> None:
        self._repository = repository
        self._sources = sources
        self._settings = settings or BuildahSettings()
        self._storage = Storage(locations.buildah)
        self._results = Results(repository)
        self._opening = asyncio.Lock()
        self._parents: Parents | None = None

    @property
    def format_version(self) -> str:
        """What decides images beside the step; buildah's version does not."""
        return format_version()

    async def build(
        self, step: BuildStep, *, log: Path, retried: TellRetry = ignore_retry
    ) -> Digest:
        """Build the image, store it untagged, and return its manifest's digest.

        It is tried once, and ``retried`` hears nothing. Raises BuildError, TransientBuildError,
        StorageError, MissingTool, and SourceError or RegistryError when what the step needs
        cannot be had.
        """
        del retried
        parents = await self._open()
        with storage_errors("write to", log):
            log.parent.mkdir(parents=True, exist_ok=True)
            file = log.open("ab+", buffering=0)
        with file:
            async with self._storage.workspace(program=self._settings.program) as workspace:
                program.furnish(workspace)
                context = await self._lay_out(step, workspace)
                images = await parents.bring(step.images.values(), step.platform, workspace, file)
                store = parents.lend(images.values(), workspace)
                command = [*self._command(step, images, store, workspace), str(context)]
                try:
                    await self._run(step, command, workspace, file)
                except BuildError as error:
                    if parents.lost_some(images.values(), error.message):
                        raise _storage_lost_images(step) from error
                    raise
                return await self._results.store(workspace, step=step, parents=images.values())

    async def prune(self) -> bool:
        """Remove imported images and whatever else is kept; False while any build runs."""
        return await self._storage.prune(program=self._settings.program)

    async def _open(self) -> Parents:
        """The storage of parents, after finding out once what this machine can do."""
        async with self._opening:
            if self._parents is None:
                buildah = self._settings.program
                await program.find_version(buildah)
                driver = await self._find_driver(buildah)
                self._parents = Parents(
                    self._repository, self._storage.parents, buildah=buildah, driver=driver
                )
            return self._parents

    async def _find_driver(self, buildah: str) -> Driver:
        async with self._storage.workspace(program=buildah) as workspace:
            program.furnish(workspace)
            wanted = self._settings.storage_driver
            return await find_driver(workspace, buildah=buildah, wanted=wanted)

    async def _lay_out(self, step: BuildStep, workspace: Workspace) -> Path:
        """Fill the checkout and return the build context in it."""
        if step.source is not None and step.commit is not None:
            await self._sources.check_out(step.source, step.commit, workspace.source)
        for files in step.copied_files:
            image = await read_image(self._repository, files.image, platform=step.platform)
            for copy in files.copies:
                await extract_path(
                    self._repository.blobs,
                    image.layers,
                    copy.source,
                    root=workspace.source,
                    destination=copy.destination,
                )
        context = (workspace.source / step.context_directory.lstrip("/")).resolve()
        if not context.is_relative_to(workspace.source.resolve()) or not context.is_dir():
            raise BuildError(
                f"{step.component}: its source has no folder {step.context_directory!r}",
                hint="correct the context directory of the component",
            )
        return context

    async def _run(
        self, step: BuildStep, command: list[str], workspace: Workspace, log: IO[bytes]
    ) -> None:
        with limited(Limits.of(step.resources), workspace.path.name) as group:
            log.write(_heading(step, command, group.notice))
            start = log.seek(0, 2)
            outcome = await program.run(
                command, workspace, log=log, network=self._settings.network, group=group
            )
        if outcome.code != 0 and not only_tidying_failed(log, start):
            raise failure_of(log, start, doing=f"build {step.component}", component=step.component)

    def _command(
        self,
        step: BuildStep,
        images: dict[Digest, Image],
        store: program.Store,
        workspace: Workspace,
    ) -> list[str]:
        text = declare_epoch(step.dockerfile, component=step.component)
        workspace.dockerfile.write_text(text, encoding="utf-8", newline="")
        layers = "true" if step.layering is Layering.EACH else "false"
        arguments = [f"{item.name}={item.value}" for item in step.build_arguments]
        return [
            self._settings.program,
            *store.flags,
            "build",
            program.policy_flag(workspace),
            "--isolation=chroot",
            "--pull=never",
            "--no-cache",
            f"--layers={layers}",
            "--format=docker",
            "--identity-label=false",
            f"--platform={step.platform}",
            *(
                f"--build-context={name}=container-image://{image_id(images[digest])}"
                for name, digest in sorted(step.images.items())
            ),
            f"--build-arg={EPOCH_ARGUMENT}={step.timestamp}",
            *(f"--build-arg={argument}" for argument in arguments),
            *(f"--secret=id={it.id},src={it.file}" for it in self._settings.secrets),
            f"--tag={expect_result(workspace, images.values())}",
            f"--file={workspace.dockerfile}",
        ]


def _storage_lost_images(step: BuildStep) -> TransientBuildError:
    return TransientBuildError(
        f"buildah's storage lost an image that {step.component} stands on",
        hint="the same command imports it again",
    )


def _heading(step: BuildStep, command: list[str], notice: str) -> bytes:
    """What the log begins with: enough to do the same by hand."""
    commit = f"{step.commit.location or step.source}@{step.commit.id}" if step.commit else "none"
    lines = [f"# build {step.component} for {step.platform}, source {commit}"]
    lines += [f"# {operand} is {digest}" for operand, digest in sorted(step.images.items())]
    lines += [f"# {notice}"] if notice else []
    return "\n".join([*lines, f"$ {shlex.join(command)}", ""]).encode(errors="replace")
