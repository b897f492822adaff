# SPDX-License-Identifier: Apache-2.0
"""Archives made by Python's own tarfile, which knows nothing of ours."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import AsyncIterator, Callable, Iterable

import pytest

from okd_payload.oci import media_types
from okd_payload.oci.blob_sources import BytesSource
from okd_payload.oci.digest import digest_of
from okd_payload.oci.layers.entry import Entry
from okd_payload.oci.layers.tar_reader import TarReader
from okd_payload.oci.manifest import Descriptor
from okd_payload.testing.memory_repository import MemoryRepository

Contents = dict[str, "str | bytes | tarfile.TarInfo"]


class Seen:
    """A visitor that keeps everything."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.contents: list[bytes] = []
        self._content = bytearray()

    def enter(self, entry: Entry) -> bool:
        self.entries.append(entry)
        self.contents.append(b"")
        return True

    def take(self, content: memoryview) -> None:
        self._content += content

    def leave(self) -> None:
        self.contents[-1] = bytes(self._content)
        self._content.clear()


def make_archive(contents: Contents, *, form: int = tarfile.PAX_FORMAT) -> bytes:
    """An archive in the order of ``contents``; a name that ends in a slash is a folder."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=form) as archive:
        for name, content in contents.items():
            info = content if isinstance(content, tarfile.TarInfo) else tarfile.TarInfo(name)
            data = content if isinstance(content, bytes) else b""
            if isinstance(content, str):
                data = content.encode()
            if name.endswith("/") and info is not content:
                info.type, info.mode = tarfile.DIRTYPE, 0o755
            info.name = name
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return target.getvalue()


def make_link(target: str, *, hard: bool = False) -> tarfile.TarInfo:
    """A link for ``make_archive``."""
    info = tarfile.TarInfo()
    info.type = tarfile.LNKTYPE if hard else tarfile.SYMTYPE
    info.linkname = target
    return info


def parse(content: bytes, sizes: Iterable[int] = ()) -> Seen:
    """What is in an archive, fed in chunks of ``sizes`` and then the rest."""
    seen = Seen()
    reader = TarReader(seen)
    for size in sizes:
        reader.feed(content[:size])
        content = content[size:]
    reader.feed(content)
    reader.finish()
    return seen


@pytest.fixture
def archive() -> Callable[..., bytes]:
    """``make_archive``."""
    return make_archive


@pytest.fixture
def link() -> Callable[..., tarfile.TarInfo]:
    """``make_link``."""
    return make_link


@pytest.fixture(scope="session")
def seen_in() -> Callable[..., Seen]:
    """``parse``."""
    return parse


@pytest.fixture
def chunks() -> Callable[[bytes], AsyncIterator[bytes]]:
    """Bytes as an asynchronous iterator of small chunks."""

    async def cut(content: bytes) -> AsyncIterator[bytes]:
        for start in range(0, len(content), 700):
            yield content[start : start + 700]

    return cut


Image = tuple[MemoryRepository, list[Descriptor]]


@pytest.fixture
def stored() -> Callable[..., object]:
    """Puts content into a repository in memory, as the one layer that it has."""

    async def put(
        content: bytes, media_type: str = media_types.OCI_LAYER
    ) -> tuple[MemoryRepository, Descriptor]:
        repository = MemoryRepository()
        layer = Descriptor(media_type=media_type, digest=digest_of(content), size=len(content))
        await repository.blobs.write(layer, BytesSource(content))
        return repository, layer

    return put


@pytest.fixture
def image() -> Callable[..., object]:
    """Makes the layers of an image, lowest first, in a repository in memory."""

    async def make(*layers: Contents) -> Image:
        repository = MemoryRepository()
        descriptors = []
        for contents in layers:
            blob = gzip.compress(make_archive(contents), 1)
            descriptor = Descriptor(
                media_type=media_types.OCI_LAYER_GZIP, digest=digest_of(blob), size=len(blob)
            )
            await repository.blobs.write(descriptor, BytesSource(blob))
            descriptors.append(descriptor)
        return repository, descriptors

    return make
