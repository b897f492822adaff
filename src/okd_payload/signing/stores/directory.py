# SPDX-License-Identifier: Apache-2.0
"""Signatures in a folder, laid out like on a web server: ``sha256=HEX/signature-N``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from okd_payload.signing.digests import storage_name
from okd_payload.signing.stores.model import (
    FIRST_NUMBER,
    LAST_NUMBER,
    MAX_SIGNATURE_BYTES,
    FoundSignature,
    SearchProblem,
)


class DirectoryStore:
    """The store in one folder; a folder that does not exist is an empty store."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def description(self) -> str:
        """The folder as an address."""
        return f"file://{self._folder}"

    async def search(self, digest: str) -> AsyncIterator[FoundSignature | SearchProblem]:
        """The files from number 1 on, up to the first that is absent."""
        folder = self._folder / storage_name(digest, separator="=")
        for number in range(FIRST_NUMBER, LAST_NUMBER + 1):
            path = folder / f"signature-{number}"
            try:
                with path.open("rb") as file:
                    content = file.read(MAX_SIGNATURE_BYTES + 1)
            except FileNotFoundError:
                return
            except OSError as error:
                yield SearchProblem(f"unable to read signature {path}: {error.strerror}")
                continue
            if len(content) > MAX_SIGNATURE_BYTES:
                yield SearchProblem(f"{path} has more than {MAX_SIGNATURE_BYTES} bytes")
            else:
                yield FoundSignature(content, str(path))
