# SPDX-License-Identifier: Apache-2.0
"""Where the content of a blob comes from when it is written: memory, a file, a repository.

Each can be opened again from any offset, which is what an upload needs that is tried again.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

from okd_payload.errors import StorageError
from okd_payload.oci.manifest import Descriptor
from okd_payload.oci.repository import Repository, StreamsBlobs
from okd_payload.oci.threads import finish_in_thread

CHUNK_BYTES = 1024 * 1024


class BytesSource:
    """Content that is in memory."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def open(self, offset: int = 0) -> AsyncGenerator[bytes]:
        """The content from ``offset`` on, in one chunk."""
        if offset < len(self._content):
            yield self._content[offset:]


class FileSource:
    """Content of a file, which must not change meanwhile; whoever stores it verifies it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def open(self, offset: int = 0) -> AsyncGenerator[bytes]:
        """The content from ``offset`` on. Raises StorageError."""
        try:
            with self._path.open("rb", buffering=0) as file:
                file.seek(offset)
                while chunk := await finish_in_thread(file.read, CHUNK_BYTES):
                    yield chunk
        except OSError as error:
            raise StorageError(
                f"cannot read {self._path}: {error.strerror}", hint="run the same command again"
            ) from error


class RepositorySource:
    """A blob of a repository. An offset is reached by reading what is before it."""

    def __init__(
        self, repository: Repository, descriptor: Descriptor, *, hashed: bool = True
    ) -> None:
        """What is not ``hashed`` has the right size only, where the repository can do that."""
        self._blobs = repository.blobs
        self._descriptor = descriptor
        self._hashed = hashed

    async def open(self, offset: int = 0) -> AsyncGenerator[bytes]:
        """The content from ``offset`` on. Raises NotFound and DigestMismatch."""
        position = 0
        blobs = self._blobs
        if isinstance(blobs, StreamsBlobs) and not self._hashed:
            content = blobs.stream(self._descriptor)
        else:
            content = blobs.read(self._descriptor)
        async with closing(content) as chunks:
            async for chunk in chunks:
                rest = chunk[max(0, offset - position) :]
                position += len(chunk)
                if rest:
                    yield rest


@asynccontextmanager
async def closing(chunks: AsyncIterator[bytes]) -> AsyncGenerator[AsyncIterator[bytes]]:
    """``chunks``, closed at the end when it is a generator, so that files and sockets are too."""
    if isinstance(chunks, AsyncGenerator):
        async with aclosing(chunks):
            yield chunks
    else:
        yield chunks
