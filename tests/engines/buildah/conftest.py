# SPDX-License-Identifier: Apache-2.0
"""A real buildah, a base image made of busybox, and an engine for each test."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tarfile
import tempfile
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from okd_payload.build.engine import BuildStep
from okd_payload.catalog.component import Argument
from okd_payload.engines.buildah import BuildahEngine, BuildahSettings
from okd_payload.engines.buildah.program import is_privileged
from okd_payload.locations import Locations
from okd_payload.oci.blob_sources import RepositorySource
from okd_payload.oci.digest import Digest
from okd_payload.oci.image import read_blob, read_image
from okd_payload.oci.layers.compression import Inflater
from okd_payload.oci.layout import LayoutRepository
from okd_payload.oci.manifest import Descriptor
from okd_payload.oci.platform import host_platform
from okd_payload.oci.repository import Repository
from okd_payload.source.git_objects import Mode
from okd_payload.source.model import FolderSource
from okd_payload.testing.memory_sources import MemoryFile, MemorySourceTree

HERE = Path(__file__).parent
TIMESTAMP = 1_000_000_000
SOURCE = FolderSource(path="/nowhere/component")
BASE_DOCKERFILE = """\
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
RUN mkdir -p /etc /tmp /srv/kept /srv/removed && chmod 1777 /tmp && touch /srv/removed/old
ENV PATH=/bin
LABEL of.the.base=kept
"""


class Room:
    """A repository with a base image, and an engine that builds into it."""

    def __init__(self, path: Path, repository: Repository, base: Digest) -> None:
        self.path = path
        self.repository = repository
        self.base = base
        self.sources = MemorySourceTree()
        self.log = path / "logs" / "component.log"
        self.locations = Locations(cache=path / "cache", state=path / "state")

    def engine(self, **settings: Any) -> BuildahEngine:
        return BuildahEngine(
            repository=self.repository,
            sources=self.sources,
            locations=self.locations,
            settings=BuildahSettings(**settings),
        )

    def step(
        self, dockerfile: str, *, files: dict[str, str | bytes | MemoryFile] | None = None, **fields
    ) -> BuildStep:
        commit = self.sources.put(SOURCE, files or {"file": "content\n"})
        complete = {
            "component": "component",
            "tag": "component",
            "source": SOURCE,
            "commit": commit,
            "context_directory": ".",
            "dockerfile": dockerfile,
            "images": {"base": self.base} if "FROM base" in dockerfile else {},
            "platform": host_platform(),
            "timestamp": TIMESTAMP,
            **fields,
        }
        return BuildStep(**complete)

    async def build(self, dockerfile: str, *, settings: dict[str, Any] | None = None, **fields):
        step = self.step(dockerfile, **fields)
        digest = await self.engine(**(settings or {})).build(step, log=self.log)
        return await read_image(self.repository, digest)

    async def members(self, layer: Descriptor) -> dict[str, tarfile.TarInfo]:
        with tarfile.open(fileobj=BytesIO(await self.archive(layer))) as archive:
            return {member.name: member for member in archive}

    async def read(self, layer: Descriptor, name: str) -> str:
        with tarfile.open(fileobj=BytesIO(await self.archive(layer))) as archive:
            content = archive.extractfile(name)
            assert content is not None
            return content.read().decode()

    async def archive(self, layer: Descriptor) -> bytes:
        content = await read_blob(self.repository, layer, max_bytes=64 * 1024 * 1024)
        inflater = Inflater(media_type=layer.media_type)
        return b"".join([*inflater.feed(content), *inflater.finish()])

    def leftovers(self) -> list[Path]:
        """Workspaces that are still there."""
        return sorted((self.locations.buildah / "workspaces").iterdir())


@pytest.fixture(scope="session")
def busybox() -> bytes:
    """A program that needs nothing but a kernel."""
    path = shutil.which("busybox")
    if path is None or shutil.which("buildah") is None:
        pytest.skip("buildah and a static busybox are needed: make setup")
    return Path(path).read_bytes()


@pytest.fixture(scope="session")
def base_room(busybox: bytes, tmp_path_factory: pytest.TempPathFactory) -> Room:
    """The room in which the base image was built, for all tests."""
    path = tmp_path_factory.mktemp("buildah")
    room = Room(path, LayoutRepository(path / "images"), Digest(""))
    file = MemoryFile(busybox, mode=Mode.EXECUTABLE)
    image = asyncio.run(room.build(BASE_DOCKERFILE, files={"busybox": file}))
    room.base = image.digest
    return room


@pytest.fixture
def room(base_room: Room, tmp_path: Path) -> Room:
    """A room of the test's own: base image and imported parents are shared."""
    room = Room(tmp_path, base_room.repository, base_room.base)
    room.locations = base_room.locations
    return room


@pytest.fixture
def cold_room(base_room: Room, tmp_path: Path) -> Room:
    """A room in which nothing was ever built."""
    return Room(tmp_path, base_room.repository, base_room.base)


@pytest.fixture
def labels() -> tuple[Argument, ...]:
    """Labels that a step asks for."""
    return (Argument("build.key", "abc"), Argument("of.the.base", "replaced"))


class Stranger:
    """An ordinary user whom this machine does not know, with a folder of their own."""

    def __init__(self, path: Path, base: Digest) -> None:
        self.path = path
        self.home = path / "home"
        self.workspaces = self.home / "state" / "buildah" / "workspaces"
        self._base = base

    def command(self, dockerfile: str, *, network: str = "host") -> list[str | Path]:
        """The program that builds ``dockerfile`` as that user and prints the digest."""
        become = ["unshare", "--mount", "--", "sh", HERE / "as_ordinary_user.sh", self.path]
        build = [sys.executable, HERE / "lonely_build.py", self.home, self._base, dockerfile]
        return [*become, sys.base_prefix, *build, network]


@pytest.fixture
async def stranger(base_room: Room) -> AsyncIterator[Stranger]:
    """An ordinary user who has the base image."""
    if not is_privileged():
        pytest.skip("only root can become another user; what we are is tested by all others")
    path = Path(tempfile.mkdtemp(prefix="okd-payload-test-"))
    os.chmod(path, 0o755)  # noqa: PTH101 - a quick call, which Path's rule takes for a slow one
    stranger = Stranger(path, base_room.base)
    await copy_image(base_room.repository, base_room.base, stranger.home / "images")
    yield stranger
    shutil.rmtree(path)


async def copy_image(origin: Repository, digest: Digest, folder: Path) -> None:
    """Link or copy one image from a layout to the layout ``folder``."""
    target = LayoutRepository(folder)
    image = await read_image(origin, digest)
    for descriptor in (image.content.config, *image.layers):
        if not await target.blobs.mount(descriptor, origin):
            await target.blobs.write(descriptor, RepositorySource(origin, descriptor))
    await target.manifests.put(image.manifest, tag="base")
    target.close()


@pytest.fixture
async def filled_room(base_room: Room, cold_room: Room) -> Room:
    """A cold room with a layout of its own, which another process can use as well."""
    await copy_image(base_room.repository, base_room.base, cold_room.path / "images")
    cold_room.repository = LayoutRepository(cold_room.path / "images")
    return cold_room
