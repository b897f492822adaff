# SPDX-License-Identifier: Apache-2.0
"""Images that builds stand on, brought from the content repository into buildah's storage.

An image is imported once and found by the id that buildah gives it, the digest of its
configuration. A note per manifest remembers that it was imported; it is written afterwards, so
an import that was killed is simply done again, and buildah keeps the layers it has already.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import msgspec

from okd_payload.engines.buildah import program
from okd_payload.engines.buildah.drivers import VFS, Driver
from okd_payload.engines.buildah.failures import failure_of
from okd_payload.engines.buildah.storage import Workspace
from okd_payload.oci.blob_sources import RepositorySource
from okd_payload.oci.digest import Digest, hex_of
from okd_payload.oci.image import Image, read_image
from okd_payload.oci.layout import LayoutRepository
from okd_payload.oci.layout.files import storage_errors
from okd_payload.oci.manifest import Platform
from okd_payload.oci.repository import Repository

_FEW_LAYERS = 16
"""As many names fit a page, however long the path of our state folder is."""
_DAMAGED = re.compile(
    r"image not known|layer not known|no such file or directory.*/overlay/l/|identifier is not"
)


class Parents:
    """The imported images of one repository, in one storage."""

    def __init__(self, repository: Repository, path: Path, *, buildah: str, driver: Driver) -> None:
        self.store = program.Store(
            root=path / "root", run_root=path / "run", driver=driver.name, options=driver.options
        )
        self._repository = repository
        self._notes = path / "imported" / driver.name
        self._buildah = buildah
        self._importing: dict[Digest, asyncio.Lock] = {}

    async def bring(
        self, digests: Iterable[Digest], platform: Platform, workspace: Workspace, log: IO[bytes]
    ) -> dict[Digest, Image]:
        """The images, all of them imported now."""
        found = {}
        for digest in dict.fromkeys(digests):
            image = await read_image(self._repository, digest, platform=platform)
            async with self._importing.setdefault(image.digest, asyncio.Lock()):
                if not self._note(image).exists():
                    await self._import(image, workspace, log)
            found[digest] = image
        return found

    def lost_some(self, images: Iterable[Image], said: str) -> bool:
        """Whether ``said`` means that the storage lost images; they are imported anew then."""
        if not _DAMAGED.search(said):
            return False
        for image in images:
            self._note(image).unlink(missing_ok=True)
        return True

    def lend(self, images: Iterable[Image], workspace: Workspace) -> program.Store:
        """The storage of ``workspace``, which finds ``images`` in ours.

        The names of all layers of an image have to fit a page of memory when it is mounted, so
        buildah takes relative names for many layers. Before 1.33 it takes them relative to the
        workspace's storage although the layers are in ours; so links are put where it looks.
        """
        own = msgspec.structs.replace(
            self.store, root=workspace.root, run_root=workspace.run_root, images=self.store.root
        )
        deepest = max((len(image.layers) for image in images), default=0)
        if not deepest:
            return msgspec.structs.replace(own, images=None)
        if own.driver != VFS.name and deepest > _FEW_LAYERS:
            _link_layers(self.store.root / own.driver, own.root / own.driver)
        return own

    async def _import(self, image: Image, workspace: Workspace, log: IO[bytes]) -> None:
        path = workspace.path / f"parent-{hex_of(image.digest)[:12]}"
        await self._lay_out(image, path)
        command = [self._buildah, *self.store.flags, "pull", program.policy_flag(workspace)]
        start = log.seek(0, 2)
        # Relative, because buildah makes a name of the path, and ".local" is not one.
        outcome = await program.run([*command, "--quiet", f"oci:{path.name}"], workspace, log=log)
        if outcome.code != 0:
            raise failure_of(log, start, doing=f"import {image.digest}")
        with storage_errors("write to", self._notes):
            self._notes.mkdir(parents=True, exist_ok=True)
            self._note(image).touch()

    async def _lay_out(self, image: Image, path: Path) -> None:
        """Make a layout of ``image`` alone, by links where the repository is a folder here."""
        with contextlib.closing(LayoutRepository(path)) as layout:
            for descriptor in (image.content.config, *image.layers):
                if not await layout.blobs.mount(descriptor, self._repository):
                    source = RepositorySource(self._repository, descriptor)
                    await layout.blobs.write(descriptor, source)
            await layout.manifests.put(image.manifest, tag="parent")

    def _note(self, image: Image) -> Path:
        return self._notes / hex_of(image.digest)


def _link_layers(origin: Path, target: Path) -> None:
    """Let all layers below ``origin`` be found below ``target``, by their short names too."""
    with storage_errors("write to", target):
        (target / "l").mkdir(parents=True)
        for link in (origin / "l").iterdir():
            layer = link.readlink()
            (target / "l" / link.name).symlink_to(layer)
            (target / layer.parts[1]).symlink_to(origin / layer.parts[1])


def image_id(image: Image) -> str:
    """What buildah calls an imported image."""
    return hex_of(image.content.config.digest)
