# SPDX-License-Identifier: Apache-2.0
"""The log of a build on standard error while it grows: that is what a pod's log is."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

from okd_payload.clock import Clock
from okd_payload.oci.layout.files import storage_errors

_LOOK_SECONDS = 0.2
_CHUNK_BYTES = 1024 * 1024


@contextlib.asynccontextmanager
async def shown_log(log: Path, clock: Clock) -> AsyncIterator[None]:
    """While it lasts, what is written to ``log`` goes to standard error as well."""
    with _open_empty(log) as file:

        def copy() -> None:
            while chunk := file.read(_CHUNK_BYTES):
                sys.stderr.buffer.write(chunk)
            sys.stderr.buffer.flush()

        async def follow() -> None:
            while True:  # a file tells nobody that it grows
                copy()
                await clock.wait(_LOOK_SECONDS)

        following = asyncio.create_task(follow())
        try:
            yield
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            copy()


def _open_empty(log: Path) -> BinaryIO:
    """``log``, emptied, to be read. Raises StorageError."""
    with storage_errors("write to", log):
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(b"")
        return log.open("rb")
