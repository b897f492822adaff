# SPDX-License-Identifier: Apache-2.0
"""Which files a stream reads: its own folder, and definitions that it names elsewhere.

Scripts of imports may read anything beside them, so the stream's folder travels whole; of other
folders only what a catalog source names, the bases of kustomizations included. Folders that
components are built from are no files of the stream: they travel by their commits. A folder that
is too large for definitions is refused, because it is the wrong one or holds something else.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import msgspec

from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.kustomize.kustomization import find_kustomization
from okd_payload.documents import read_documents
from okd_payload.errors import InputError
from okd_payload.source.content import list_files

MOST_FILES = 20_000
MOST_BYTES = 64 * 1024 * 1024
_REFERRING = ("resources", "bases", "components")


class StreamFiles(msgspec.Struct, frozen=True, kw_only=True):
    """The files of a stream, by path below ``root``."""

    root: Path
    """The folder that they are all below; absolute."""
    paths: tuple[str, ...]


def gather_files(catalog: Catalog, *, leaving: Collection[Path]) -> StreamFiles:
    """The files that ``catalog`` was read from, without what is below ``leaving``.

    Raises InputError when they are too many, and SourceError when they cannot be read.
    """
    if not catalog.path:
        return StreamFiles(root=Path("/nowhere"), paths=())
    file = _absolute(Path(catalog.path))
    folders = _outermost([file.parent, *_named(catalog, file.parent)])
    root = Path(
        os.path.commonpath([str(path if path.is_dir() else path.parent) for path in folders])
    )
    # A folder that holds the stream itself is no part of it, but its source.
    left_out = [path for path in map(_absolute, leaving) if not file.is_relative_to(path)]
    paths = sorted(
        str(path.relative_to(root))
        for folder in folders
        for path in _files_of(folder)
        if not any(path.is_relative_to(each) for each in left_out)
    )
    _check_size(root, paths, file.parent)
    return StreamFiles(root=root, paths=tuple(paths))


def _named(catalog: Catalog, folder: Path) -> Iterator[Path]:
    """What the stream names outside of its files: sources of definitions, and patches."""
    for source in catalog.stream.catalog:
        path = _absolute(folder / source.path)
        yield path
        if source.kustomization:
            yield from _bases(path, seen=set())
    for component in catalog.components:
        if component.patches:
            yield _absolute(Path(component.patches))


def _bases(folder: Path, seen: set[Path]) -> Iterator[Path]:
    """All that the kustomization in ``folder`` is made of, and what that is made of."""
    if folder in seen:
        return
    seen.add(folder)
    file = find_kustomization(folder)
    documents = read_documents(file) if file else []
    for document in documents:
        value = document.value if isinstance(document.value, dict) else {}
        for name in _entries(value):
            path = _absolute(folder / name)
            if path.exists():
                yield path
            if path.is_dir():
                yield from _bases(path, seen)


def _entries(value: dict[str, Any]) -> Iterator[str]:
    for field in _REFERRING:
        listed = value.get(field)
        yield from (name for name in listed or () if isinstance(name, str))


def _outermost(paths: Collection[Path]) -> list[Path]:
    """``paths`` without those below others of them."""
    unique = sorted(set(paths))
    return [
        path
        for path in unique
        if path.exists()
        and not any(path != other and path.is_relative_to(other) for other in unique)
    ]


def _files_of(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    else:
        yield from (path / name for name in list_files(path))


def _check_size(root: Path, paths: list[str], folder: Path) -> None:
    size = sum((root / path).lstat().st_size for path in paths)
    if len(paths) > MOST_FILES or size > MOST_BYTES:
        raise InputError(
            f"the stream in {folder} has {len(paths)} files of {size // 1024**2} MiB beside it, "
            f"and a snapshot takes {MOST_FILES} of {MOST_BYTES // 1024**2} MiB",
            hint="keep the stream file in a folder of its own, with its definitions",
        )


def _absolute(path: Path) -> Path:
    return Path(os.path.normpath(path.absolute()))
