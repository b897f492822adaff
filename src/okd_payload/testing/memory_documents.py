# SPDX-License-Identifier: Apache-2.0
"""Web servers that are a dictionary: the twin of ``oci.documents.DocumentAsker``."""

from __future__ import annotations

from collections.abc import Mapping

from okd_payload.errors import RegistryError, TooLarge
from okd_payload.oci.documents import DocumentAnswer


class MemoryDocuments:
    """Documents by their address, with the query; what is not there is answered with 404."""

    def __init__(
        self, documents: Mapping[str, bytes | DocumentAnswer | RegistryError] | None = None
    ) -> None:
        """Bytes come with status 200; an error is raised instead of an answer."""
        self.documents = dict(documents or {})
        self.requests: list[str] = []
        """The addresses that were asked for, in order."""

    async def ask_document(self, url: str, *, limit: int) -> DocumentAnswer:
        """What lies at ``url``. Raises TooLarge beyond ``limit`` bytes."""
        self.requests.append(url)
        found = self.documents.get(url, DocumentAnswer(404))
        if isinstance(found, RegistryError):
            raise found
        answer = found if isinstance(found, DocumentAnswer) else DocumentAnswer(200, found)
        if len(answer.body) > limit:
            raise TooLarge(f"{url} answers with more than {limit} bytes")
        return answer
