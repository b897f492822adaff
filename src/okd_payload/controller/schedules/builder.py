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

    async def advance(self, stream_file: str, identity: str) -> BuildProgress:
        """Begin the build called ``identity``, or go on with it where somebody was cut off.

        The same whoever asks, and however often. Raises OkdPayloadError when it cannot be begun.
        """
        ...
