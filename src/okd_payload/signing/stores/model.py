# SPDX-License-Identifier: Apache-2.0
"""The seam of signature stores, and what a search in one gives."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

import msgspec

FIRST_NUMBER, LAST_NUMBER = 1, 9
"""The numbers of signatures that clusters look for in folders and on web servers."""
MAX_SIGNATURE_BYTES = 4 * 1024 * 1024
"""Bound on one signature. Clusters have none, and take one of a million bytes."""
NO_MORE = "no more signatures to check"
"""How the end of a search is told."""


class FoundSignature(msgspec.Struct, frozen=True):
    """One file or entry; nobody has looked yet whether it is a signature."""

    content: bytes
    origin: str
    """Where it was, for people."""


class SearchProblem(msgspec.Struct, frozen=True):
    """Something that was not had, in the words of a cluster; the end of a search, too."""

    message: str


class SignatureStore(Protocol):
    """A place with signatures of many digests."""

    @property
    def description(self) -> str:
        """What it is, in the words of a cluster."""
        ...

    def search(self, digest: str) -> AsyncIterator[FoundSignature | SearchProblem]:
        """What is found for ``digest``, while it is found; who has enough stops asking.

        Raises InvalidReference for what is no digest. Everything else that goes wrong is told as
        a problem, because the next place may be better.
        """
        ...


async def read_signatures(store: SignatureStore, digest: str) -> list[FoundSignature]:
    """All that ``store`` has for ``digest``, problems left out. Raises InvalidReference."""
    return [found async for found in store.search(digest) if isinstance(found, FoundSignature)]
