# SPDX-License-Identifier: Apache-2.0
"""A signature store that is a dictionary."""

from __future__ import annotations

from okd_payload.oci.digest import Digest
from okd_payload.signing.publication import signature_path


class MemoryTarget:
    """The twin of folders and web servers that signatures are put into."""

    def __init__(self, name: str = "memory.test/signatures") -> None:
        self._name = name
        self.files: dict[str, bytes] = {}
        """What is stored, by its path below the address of the store."""

    @property
    def name(self) -> str:
        """What people call it."""
        return self._name

    async def read(self, digest: Digest, number: int) -> bytes | None:
        """The signature with this number, None when there is none."""
        return self.files.get(signature_path(digest, number))

    async def add(self, digest: Digest, number: int, signature: bytes) -> bool:
        """Store a signature; False when another one has the number by now."""
        return self.files.setdefault(signature_path(digest, number), signature) is signature
