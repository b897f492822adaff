# SPDX-License-Identifier: Apache-2.0
"""Files of YAML documents, each read once however many things ask for it.

Checks, overlays and lines of issues all ask for the same files. One that cannot be read is told
once, here, and is empty for everybody; links to folders are not followed, so no file comes twice.
"""

from __future__ import annotations

import os
from pathlib import Path

from okd_payload.catalog.kustomize.kustomization import FILE_NAMES
from okd_payload.catalog.sources import issue_of
from okd_payload.documents import Document, read_documents
from okd_payload.errors import InvalidDocument
from okd_payload.issues import Issue

_SUFFIXES = (".yaml", ".yml")


class Files:
    """What was read so far; a file that cannot be read is one issue, and has no documents."""

    def __init__(self) -> None:
        self._read: dict[str, tuple[Document, ...]] = {}
        self.issues: list[Issue] = []

    @property
    def paths(self) -> list[Path]:
        """The files that were read, in that order."""
        return [Path(name) for name in self._read]

    @property
    def documents(self) -> tuple[Document, ...]:
        """The documents of all files that were read."""
        return tuple(document for found in self._read.values() for document in found)

    def read(self, path: Path) -> tuple[Document, ...]:
        """The documents of the file at ``path``."""
        name = os.path.normpath(path)
        if name not in self._read:
            try:
                self._read[name] = tuple(read_documents(Path(name)))
            except InvalidDocument as error:
                self._read[name] = ()
                self.issues.append(issue_of(error))
        return self._read[name]

    def of_object(self, document: Document) -> Document:
        """``document`` as its file says it, for one that overlays have changed."""
        wanted = _identity(document)
        found = (each for each in self.read(Path(document.path)) if _identity(each) == wanted)
        return next(found, document)


def files_below(path: Path) -> list[Path]:
    """The file at ``path``, or the YAML files below it; links to folders are not followed."""
    if path.is_file():
        return [path]
    found: list[Path] = []
    for parent, _, names in os.walk(path):
        found += [
            Path(parent, name)
            for name in names
            if name.endswith(_SUFFIXES) or name == FILE_NAMES[-1]
        ]
    return sorted(found)


def _identity(document: Document) -> tuple[object, object]:
    """What tells objects of one file apart, whatever overlays do to namespaces."""
    value = document.value if isinstance(document.value, dict) else {}
    metadata = value.get("metadata")
    return value.get("kind"), metadata.get("name") if isinstance(metadata, dict) else None
