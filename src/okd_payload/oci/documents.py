# SPDX-License-Identifier: Apache-2.0
"""The seam to web servers for those who judge each answer themselves.

Most want a document or an error, which ``RegistryClient.fetch_document`` gives after as many
tries as are reasonable. Programs of a cluster ask once, and what they do next depends on the
status; who acts like them needs the same.
"""

from __future__ import annotations

from typing import Protocol

import msgspec


class DocumentAnswer(msgspec.Struct, frozen=True):
    """What a web server said."""

    status: int
    body: bytes = b""


class DocumentAsker(Protocol):
    """Asks web servers; ``RegistryClient`` does, and ``testing.MemoryDocuments`` is the twin."""

    async def ask_document(self, url: str, *, limit: int) -> DocumentAnswer:
        """The answer to one request, redirects followed, whatever its status.

        Raises InputError when ``url`` is no address of http or https, TooLarge beyond ``limit``
        bytes, and RegistryError when no answer came.
        """
        ...
