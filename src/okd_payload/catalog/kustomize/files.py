# SPDX-License-Identifier: Apache-2.0
"""The files of one rendering, each read once however often it is named."""

from __future__ import annotations

from pathlib import Path

from okd_payload.documents import Document, read_documents
from okd_payload.errors import InvalidDocument


class Files:
    """What was read so far, by path; a file that cannot be read fails the same way again."""

    def __init__(self) -> None:
        self._read: dict[str, list[Document] | InvalidDocument] = {}

    def documents(self, path: Path) -> list[Document]:
        """The documents of the file at ``path``. Raises InvalidDocument."""
        name = str(path)
        if name not in self._read:
            try:
                self._read[name] = read_documents(path)
            except InvalidDocument as error:
                self._read[name] = error
        found = self._read[name]
        if isinstance(found, InvalidDocument):
            raise found
        return found
