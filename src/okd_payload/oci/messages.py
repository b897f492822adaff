# SPDX-License-Identifier: Apache-2.0
"""The seam for telling something to a web server that somebody else has named.

Nothing is read but the status: what the server says is nobody's business, and must not become
a way to look into networks that only we can reach.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec


class OutgoingMessage(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent with POST."""

    url: str
    body: bytes
    headers: Mapping[str, str] = {}


class Messenger(Protocol):
    """Sends messages; ``oci.registry.messages`` does, ``testing.MemoryMessenger`` is the twin."""

    async def send(self, message: OutgoingMessage, *, allowed: Sequence[str]) -> int:
        """The status of the answer; redirects are not followed.

        The server is only spoken to where all its addresses are public or in one of the networks
        ``allowed``. Raises InputError for an address that is refused, RegistryError when there
        is no answer.
        """
        ...
