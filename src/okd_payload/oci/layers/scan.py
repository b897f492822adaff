# SPDX-License-Identifier: Apache-2.0
"""Inflating and parsing a blob while it arrives, beside the event loop.

Chunks are gathered to batches of about a megabyte, and each batch is worked on in a thread:
inflating is most of the work and lets go of the interpreter. Content is verified by whoever
delivers the chunks, at the latest after the last one; so a scan reads to the end even when
nothing more is wanted, unless its caller closes it and takes unverified content.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing
from typing import Protocol

from okd_payload.errors import ContentError
from okd_payload.oci.blob_sources import closing
from okd_payload.oci.layers.bounds import DEFAULT_BOUNDS, Bounds
from okd_payload.oci.layers.compression import Inflater
from okd_payload.oci.layers.tar_reader import TarReader, Visitor
from okd_payload.oci.manifest import Descriptor
from okd_payload.oci.repository import Blobs
from okd_payload.oci.threads import finish_in_thread

BATCH_BYTES = 1024 * 1024
_HINT = "fetch the image again; if that does not help, build or push it again"


class Consumer(Protocol):
    """Takes a blob in chunks, in a thread."""

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        ...

    def finish(self) -> None:
        """Say that nothing follows."""
        ...


class LayerScan:
    """Shows the entries of one layer, compressed or not, to a visitor."""

    def __init__(
        self, visitor: Visitor, *, media_type: str = "", bounds: Bounds = DEFAULT_BOUNDS
    ) -> None:
        self._inflater = Inflater(media_type=media_type, bounds=bounds)
        self._reader = TarReader(visitor, bounds=bounds)

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the blob. Raises ContentError."""
        for piece in self._inflater.feed(chunk):
            self._reader.feed(piece)

    def finish(self) -> None:
        """Say that nothing follows. Raises ContentError."""
        for piece in self._inflater.finish():
            self._reader.feed(piece)
        self._reader.finish()


async def scan_layer(
    blobs: Blobs, layer: Descriptor, visitor: Visitor, *, bounds: Bounds = DEFAULT_BOUNDS
) -> None:
    """Show every entry of ``layer`` to ``visitor``.

    Raises NotFound, ContentError that names the layer, and whatever the visitor raises.
    """
    async for _ in scan_layer_in_steps(blobs, layer, visitor, bounds=bounds):
        pass


async def scan_layer_in_steps(
    blobs: Blobs, layer: Descriptor, visitor: Visitor, *, bounds: Bounds = DEFAULT_BOUNDS
) -> AsyncGenerator[None]:
    """The same, stopping after every batch so that the caller may use what has come so far."""
    try:
        consumer = LayerScan(visitor, media_type=layer.media_type, bounds=bounds)
        async with aclosing(scan_in_steps(blobs.read(layer), consumer)) as steps:
            async for _ in steps:
                yield
    except ContentError as error:
        if layer.digest in error.message:
            raise
        raise error.about(layer.digest, hint=_HINT) from error


async def scan(chunks: AsyncIterator[bytes], consumer: Consumer) -> None:
    """Give all ``chunks`` to ``consumer``."""
    async for _ in scan_in_steps(chunks, consumer):
        pass


async def scan_in_steps(chunks: AsyncIterator[bytes], consumer: Consumer) -> AsyncGenerator[None]:
    """The same, stopping after every batch so that the caller may use what has come so far."""
    async with closing(chunks):
        batch: list[bytes] = []
        size = 0
        async for chunk in chunks:
            batch.append(chunk)
            size += len(chunk)
            if size >= BATCH_BYTES:
                await finish_in_thread(_feed_all, consumer, batch)
                batch, size = [], 0
                yield
        await finish_in_thread(_feed_all, consumer, batch)
        await finish_in_thread(consumer.finish)
        yield


def _feed_all(consumer: Consumer, batch: Iterable[bytes]) -> None:
    for chunk in batch:
        consumer.feed(chunk)
