# SPDX-License-Identifier: Apache-2.0
"""The seam to whoever builds: the controller knows no engine, and is handed one that does."""

from __future__ import annotations

from typing import Protocol

import msgspec


class BuildProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a build is."""

    ended: bool = False
    succeeded: bool = False
    message: str = ""


class Builder(Protocol):
    """Builds streams."""

    async def start(self, stream_file: str, identity: str) -> str:
        """Begin the build called ``identity``, or find that it was begun; its handle.

        Raises OkdPayloadError when it cannot be begun.
        """
        ...

    async def poll(self, handle: str) -> BuildProgress:
        """How far the build is, also in another process. Raises OkdPayloadError."""
        ...
