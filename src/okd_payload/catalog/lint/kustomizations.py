# SPDX-License-Identifier: Apache-2.0
"""Kustomizations as files: which of them include which, and what their patches are.

Rendering is not done here (``catalog.kustomize`` does it); checks ask for what a rendering no
longer shows, such as the paths of JSON patches and the labels that selectors read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from okd_payload.catalog.kustomize.fields import COMPONENT
from okd_payload.catalog.kustomize.kustomization import FILE_NAMES
from okd_payload.catalog.lint.files import Files
from okd_payload.documents import Document, parse_documents
from okd_payload.errors import InvalidDocument

_LABEL = re.compile(r"!?\s*([A-Za-z0-9][A-Za-z0-9./_-]*)")
_SET = re.compile(r"\([^)]*\)")
_PATCHES = ("patches", "patchesJson6902", "patchesStrategicMerge")


class WrittenOperation(msgspec.Struct, frozen=True):
    """An operation of a JSON patch, and where it stands."""

    verb: str
    path: str
    file: str
    line: int


class Kustomizations(msgspec.Struct, frozen=True):
    """All kustomization files, by their folders, and the folders that no other one includes."""

    documents: dict[Path, Document]
    included: dict[Path, tuple[Path, ...]]
    roots: tuple[Path, ...]

    def below(self, root: Path) -> list[Document]:
        """The kustomization in ``root``, and all that it includes."""
        waiting, found = [root.resolve()], dict[Path, Document]()
        while waiting:
            folder = waiting.pop()
            if folder not in found and folder in self.documents:
                found[folder] = self.documents[folder]
                waiting += self.included[folder]
        return [*found.values()]


def follow_kustomizations(files: Files) -> Kustomizations:
    """The kustomizations among ``files``, and all that they include."""
    waiting = [path for path in files.paths if path.name in FILE_NAMES]
    given = {path.parent.resolve(): path.parent for path in waiting}
    found: dict[Path, Document] = {}
    included: dict[Path, tuple[Path, ...]] = {}
    while waiting:
        path = waiting.pop(0)
        folder = path.parent.resolve()
        documents = [each for each in files.read(path) if isinstance(each.value, dict)]
        if folder in found or not documents:
            continue
        found[folder] = documents[0]
        below = _included(path.parent, documents[0].value)
        included[folder] = tuple(each.resolve() for each in below)
        waiting += [each / name for each in below for name in FILE_NAMES if (each / name).is_file()]
    inner = {each for folders in included.values() for each in folders}
    roots = [
        given[folder]
        for folder, document in found.items()
        if folder in given and folder not in inner and document.value.get("kind") != COMPONENT
    ]
    return Kustomizations(found, included, tuple(sorted(roots)))


def selected_labels(document: Document) -> frozenset[str]:
    """The labels that selectors of a kustomization read."""
    return frozenset(_labels_in(document.value))


def json_operations(document: Document, files: Files) -> Iterator[list[WrittenOperation]]:
    """The operations of each JSON patch of a kustomization; unreadable ones are left out."""
    for name in _PATCHES:
        entries = document.value.get(name)
        for number, entry in enumerate(entries if isinstance(entries, list) else ()):
            if not isinstance(entry, dict):
                continue
            if isinstance(entry.get("patch"), str):
                line = document.line_of((name, number, "patch"))
                yield _operations(_parse(entry["patch"], document.path), line)
            elif isinstance(entry.get("path"), str):
                yield _operations(files.read(Path(document.path).parent / entry["path"]), 0)


def _parse(text: str, path: str) -> tuple[Document, ...]:
    try:
        return tuple(parse_documents(text.encode(), path=path))
    except InvalidDocument:
        return ()


def _operations(documents: tuple[Document, ...], line: int) -> list[WrittenOperation]:
    return [
        WrittenOperation(
            str(item.get("op")),
            str(item.get("path")),
            document.path,
            line + document.line_of((number, "path")),
        )
        for document in documents
        if isinstance(document.value, list)
        for number, item in enumerate(document.value)
        if isinstance(item, dict)
    ]


def _included(folder: Path, value: dict[str, Any]) -> list[Path]:
    """The folders that the kustomization ``value`` in ``folder`` includes, on this machine."""
    names = [
        name
        for field in ("resources", "bases", "components")
        if isinstance(value.get(field), list)
        for name in value[field]
        if isinstance(name, str)
    ]
    return [folder / name for name in names if (folder / name).is_dir()]


def _labels_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        selector = value.get("labelSelector")
        if isinstance(selector, str):
            for part in _SET.sub("", selector).split(","):
                match = _LABEL.match(part.strip())
                if match:
                    yield match[1]
        for item in value.values():
            yield from _labels_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from _labels_in(item)
