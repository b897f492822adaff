# SPDX-License-Identifier: Apache-2.0
"""The files of one rendering, each read once however often it is named."""

from __future__ import annotations

from pathlib import Path

from okd_payload.documents import Document, FieldPath, invalid_field, read_documents
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

    def documents_beside(self, mention: Document, name: str, field: FieldPath) -> list[Document]:
        """The documents of the file that ``mention`` names at ``field``, in or below its folder.

        Raises InvalidDocument.
        """
        folder = Path(mention.path).parent
        path = folder / name
        if not path.is_file():
            raise invalid_field(mention, field, f"{name} is not there")
        if not path.resolve().is_relative_to(folder.resolve()):
            raise invalid_field(
                mention, field, f"{name} is outside the folder of the kustomization"
            )
        return self.documents(path)
