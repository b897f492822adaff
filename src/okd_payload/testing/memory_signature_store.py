# SPDX-License-Identifier: Apache-2.0
"""A signature store in memory: the twin of folders, web servers and ConfigMaps."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

from okd_payload.signing.digests import storage_name
from okd_payload.signing.stores import FoundSignature, SearchProblem
from okd_payload.signing.stores.model import NO_MORE


class MemorySignatureStore:
    """Signatures by digest."""

    def __init__(self, signatures: Mapping[str, Sequence[bytes]] | None = None) -> None:
        self.signatures = {digest: list(items) for digest, items in (signatures or {}).items()}
        self.searches: list[str] = []
        """The digests that were asked for, in order."""

    @property
    def description(self) -> str:
        """What it is."""
        return "signatures in memory"

    async def search(self, digest: str) -> AsyncIterator[FoundSignature | SearchProblem]:
        """The signatures of ``digest`` in their order, then the end."""
        name = storage_name(digest, separator="=")
        self.searches.append(digest)
        for number, content in enumerate(self.signatures.get(digest, []), start=1):
            yield FoundSignature(content, f"memory/{name}/signature-{number}")
        yield SearchProblem(f"{self.description}: {NO_MORE}")
