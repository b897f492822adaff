# SPDX-License-Identifier: Apache-2.0
"""The content of an upload: read in order, hashed once, sent again from any place.

The last piece is handed out only after the whole was found right, so a registry never gets a
complete request with the wrong content, whatever it would do with it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator

from okd_payload.errors import DigestMismatch
from okd_payload.oci.digest import Verifier
from okd_payload.oci.manifest import Descriptor
from okd_payload.oci.repository import BlobSource


class Content:
    """One blob on its way to a registry."""

    def __init__(self, descriptor: Descriptor, source: BlobSource) -> None:
        self.size = descriptor.size
        self.failure: Exception | None = None
        """What the source itself raised; the network is not to blame then."""
        self._digest = descriptor.digest
        self._source = source
        self._verifier = Verifier(descriptor.digest, descriptor.size)
        self._chunks: AsyncIterator[bytes] = source.open()
        self._position = 0
        self._rest = b""
        self._interrupted = False
        """Whether the source was left while it was asked for more: then it gives no more."""

    @property
    def furthest(self) -> int:
        """How far the content was ever read; no registry can have more of it."""
        return self._verifier.size

    async def read(self, start: int, end: int) -> AsyncGenerator[bytes, None]:
        """The bytes from ``start`` to ``end``. Raises DigestMismatch before the last of all."""
        try:
            if start != self._position or self._interrupted:
                await self._reopen(start)
            if start == self.size:
                await self._check_end()
            while self._position < end:
                piece = await self._next_piece(end - self._position)
                if self._position == self.size:
                    await self._check_end()
                yield piece
        except Exception as error:
            # It would reach us as a lost connection, and be tried again in vain.
            self.failure = error
            raise

    async def close(self) -> None:
        """Let go of the source."""
        if isinstance(self._chunks, AsyncGenerator):
            await self._chunks.aclose()

    async def _reopen(self, start: int) -> None:
        await self.close()
        self._chunks = self._source.open(start)
        self._position = start
        self._rest = b""
        self._interrupted = False

    async def _next_piece(self, most: int) -> bytes:
        """The next bytes, at most ``most``; each byte is hashed the first time it passes."""
        if not self._rest:
            self._rest = await self._next_chunk()
            if not self._rest:
                raise DigestMismatch(
                    f"the source of {self._digest} ends at byte {self._position} of {self.size}",
                    hint="the copy it is read from is damaged: fetch it again",
                )
        piece, self._rest = self._rest[:most], self._rest[most:]
        unhashed = self._verifier.size - self._position
        self._verifier.update(piece[unhashed:])
        self._position += len(piece)
        return piece

    async def _check_end(self) -> None:
        self._verifier.update(self._rest or await self._next_chunk())
        self._verifier.finish()

    async def _next_chunk(self) -> bytes:
        """The source's next chunk that is not empty; empty at its end."""
        self._interrupted = True
        found = b""
        async for chunk in self._chunks:
            found = chunk
            if chunk:
                break
        self._interrupted = False
        return found
