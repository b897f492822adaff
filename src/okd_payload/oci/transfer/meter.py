# SPDX-License-Identifier: Apache-2.0
"""How many bytes of a transfer are through, as progress events.

A blob that is sent again goes back to where it begins, so the sum is always what is true now.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

from okd_payload.oci.blob_sources import RepositorySource, closing
from okd_payload.oci.manifest import Descriptor
from okd_payload.oci.repository import Repository
from okd_payload.progress import Advanced, Progress

SUBJECT = "transfer"
_STEP_BYTES = 1024 * 1024
"""Reporting more often would cost more than it tells."""


class Meter:
    """The sum over all blobs of one transfer."""

    def __init__(self, total: int, progress: Progress) -> None:
        self._total = total
        self._progress = progress
        self._positions: dict[object, int] = {}
        self._done = 0
        self._reported = 0

    def move(self, blob: object, position: int) -> None:
        """Say that ``position`` bytes of ``blob`` are through."""
        self._done += position - self._positions.get(blob, 0)
        self._positions[blob] = position
        if abs(self._done - self._reported) >= _STEP_BYTES or self._done == self._total:
            self._reported = self._done
            self._progress(Advanced(subject=SUBJECT, done=self._done, total=self._total))


class MeteredSource:
    """A blob of a repository, whose bytes are counted as they pass.

    They are verified once, where they are written, and not here as well.
    """

    def __init__(
        self, repository: Repository, descriptor: Descriptor, *, meter: Meter, blob: object
    ) -> None:
        self._source = RepositorySource(repository, descriptor, hashed=False)
        self._meter = meter
        self._blob = blob

    async def open(self, offset: int = 0) -> AsyncGenerator[bytes]:
        """The content from ``offset`` on."""
        position = offset
        self._meter.move(self._blob, position)
        async with closing(self._source.open(offset)) as chunks:
            async for chunk in chunks:
                yield chunk
                position += len(chunk)
                self._meter.move(self._blob, position)
