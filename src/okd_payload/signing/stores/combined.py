# SPDX-License-Identifier: Apache-2.0
"""Several stores as one, and stores by their address.

A cluster looks into the stores of its payload at the same time, and into ConfigMaps before them.
Here all are looked into one after the other: which signatures are found is the same, the order
is not left to chance, and none is lost on the way, which happens in a cluster now and then.
"""

from __future__ import annotations

import posixpath
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from urllib.parse import unquote

from okd_payload.oci.documents import DocumentAsker
from okd_payload.signing.configuration import Configuration, split_store_address
from okd_payload.signing.stores.directory import DirectoryStore
from okd_payload.signing.stores.model import (
    NO_MORE,
    FoundSignature,
    SearchProblem,
    SignatureStore,
)
from okd_payload.signing.stores.web import WebStore


class CombinedStore:
    """Stores that are searched in their order."""

    def __init__(self, stores: Sequence[SignatureStore], *, how: str = "serial") -> None:
        """``how`` the cluster would search them, for messages: serial or parallel."""
        self._stores = stores
        self._how = how

    @property
    def description(self) -> str:
        """What it is, in the words of a cluster."""
        wrapped = ", ".join(store.description for store in self._stores) or "no stores"
        return f"{self._how} signature store wrapping {wrapped}"

    async def search(self, digest: str) -> AsyncIterator[FoundSignature | SearchProblem]:
        """What the first store has, then the second, and so on."""
        for store in self._stores:
            async for found in store.search(digest):
                yield found
        yield SearchProblem(f"{self.description}: {NO_MORE}")


def open_store(address: str, asker: DocumentAsker) -> SignatureStore:
    """The store at an address of http, https or file, or in the folder of that name.

    Raises InputError for any other address.
    """
    split = split_store_address(address)
    if split is not None and split.scheme == "file":
        # By the text, as clusters do: what comes before ".." need not exist.
        return DirectoryStore(Path(posixpath.normpath(unquote(split.path))))
    if "://" not in address:
        return DirectoryStore(Path(address))
    return WebStore(address, asker)


def open_stores(
    configuration: Configuration,
    asker: DocumentAsker,
    *,
    before: SignatureStore | None = None,
) -> SignatureStore:
    """All stores of ``configuration``; with ``before`` searched first, as ConfigMaps are."""
    stores = [open_store(address, asker) for address in configuration.stores.values()]
    payload = CombinedStore(stores, how="parallel")
    return payload if before is None else CombinedStore([before, payload])
