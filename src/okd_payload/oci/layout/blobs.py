# SPDX-License-Identifier: Apache-2.0
"""The blobs of a layout: the asynchronous half over files.

Small blobs are read at once, which is quicker than asking a thread; all else, and everything
that may have to wait for a lock or a disk, is done in threads, in chunks of a megabyte.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator

from okd_payload.errors import StorageError
from okd_payload.oci.blob_sources import CHUNK_BYTES, closing
from okd_payload.oci.digest import Digest
from okd_payload.oci.layout.blob_files import BlobReader, IncomingBlob, link_blob
from okd_payload.oci.layout.folder import BlobFolder
from okd_payload.oci.layout.writer import Membership, Writer
from okd_payload.oci.manifest import Descriptor
from okd_payload.oci.repository import BlobSource, Repository
from okd_payload.oci.threads import finish_in_thread

SMALL_BYTES = 128 * 1024


class LayoutBlobs:
    """The blobs of one layout directory, or of another folder of blobs."""

    def __init__(self, folder: BlobFolder, writer: Writer) -> None:
        self._folder = folder
        self._writer = writer

    async def stat(self, digest: Digest) -> int | None:
        """The size of a blob, None when it is not there.

        Whoever asks may rely on the answer: a blob that is there stays, whoever collects garbage
        meanwhile. Where the layout cannot be written to, nobody can promise that.
        """
        size = self._folder.blob_size(digest)
        if size is None or self._writer.protects(digest):
            return size
        try:
            await finish_in_thread(self._protect, digest)
        except StorageError:
            return size
        return self._folder.blob_size(digest)

    async def read(self, descriptor: Descriptor) -> AsyncGenerator[bytes]:
        """The verified content. Raises NotFound, DigestMismatch and StorageError."""
        reader = BlobReader(self._folder, descriptor.digest, descriptor.size)
        try:
            if descriptor.size <= SMALL_BYTES:
                while chunk := reader.read_chunk():
                    yield chunk
            else:
                while chunk := await finish_in_thread(reader.read_chunk):
                    yield chunk
        finally:
            reader.close()

    async def write(self, descriptor: Descriptor, source: BlobSource) -> None:
        """Store the content of ``source``, unless it is there already.

        Raises DigestMismatch, StorageError and whatever ``source`` raises; then nothing of it
        is left.
        """
        member = await finish_in_thread(self._protect, descriptor.digest)
        if self._folder.blob_size(descriptor.digest) == descriptor.size:
            return
        with IncomingBlob(self._folder, member, descriptor) as incoming:
            async with closing(source.open()) as chunks:
                rest = await _write_whole_batches(incoming, chunks)
            await finish_in_thread(incoming.finish, rest)

    async def mount(self, descriptor: Descriptor, origin: Repository) -> bool:
        """Link a blob of another layout on the same file system; False where that cannot be."""
        if not isinstance(origin.blobs, LayoutBlobs):
            return False
        return await finish_in_thread(self._link, origin.blobs, descriptor)

    def _protect(self, digest: Digest) -> Membership:
        member = self._writer.enter()
        member.protect([digest])
        return member

    def _link(self, origin: LayoutBlobs, descriptor: Descriptor) -> bool:
        member = self._protect(descriptor.digest)
        if self._folder.blob_size(descriptor.digest) == descriptor.size:
            return True
        folder = origin._folder
        return link_blob(descriptor, origin=folder, folder=self._folder, member=member)


async def _write_whole_batches(incoming: IncomingBlob, chunks: AsyncIterator[bytes]) -> list[bytes]:
    """Write ``chunks`` in batches worth a thread each; returns those that were left over."""
    batch: list[bytes] = []
    size = 0
    async for chunk in chunks:
        batch.append(chunk)
        size += len(chunk)
        if size >= CHUNK_BYTES:
            await finish_in_thread(incoming.write, batch)
            batch, size = [], 0
    return batch
