# SPDX-License-Identifier: Apache-2.0
"""The packages of changed modules, as copies of them have to be; read once for all components.

No link is followed, neither to files nor on the way to them: a change may come from anybody, and
what is read here ends up in images.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from okd_payload.catalog.go_modules.go_file import GoFile, is_built, read_go_file
from okd_payload.source.content import list_files
from okd_payload.source.git_objects import Mode

_METADATA = re.compile(
    r"(?:AUTHORS|CONTRIBUTORS|COPYLEFT|COPYING|COPYRIGHT|LEGAL|LICENSE|NOTICE|PATENTS)"
)


class CopiedFile(msgspec.Struct, frozen=True):
    """A file of a copy; ``path`` is from the root of its module."""

    path: str
    content: bytes
    mode: Mode


class Package(msgspec.Struct, frozen=True):
    """What a copy of a package consists of, and what it imports; no files when there is none."""

    files: tuple[CopiedFile, ...] = ()
    imports: frozenset[str] = frozenset()


class Packages:
    """Packages by module and path; kept, because a hundred components ask for the same ones."""

    def __init__(self) -> None:
        self._known: dict[tuple[Path, str], Package] = {}

    def read(self, root: Path, path: str) -> Package:
        """The package at ``path`` of the module in ``root``. Blocks."""
        package = self._known.get((root, path))
        if package is None:
            package = self._known[root, path] = _read(root, root / path)
        return package


def _read(root: Path, folder: Path) -> Package:
    if not folder.is_dir() or not is_real(root, folder):
        return Package()
    sources: dict[Path, GoFile] = {}
    paths = []
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or not path.is_file():
            continue
        content = path.read_bytes() if path.suffix == ".go" else b""
        if is_built(path.name, content):
            paths.append(path)
            if path.suffix == ".go":
                sources[path] = read_go_file(content)
    if not sources:
        return Package()
    for source in sources.values():
        paths += _embedded(folder, source.embeds)
    paths += _metadata(folder, root)
    return Package(
        files=tuple(_copy(path, root) for path in dict.fromkeys(paths)),
        imports=frozenset(name for source in sources.values() for name in source.imports),
    )


def read_module(folder: Path) -> list[CopiedFile]:
    """All files of the module in ``folder``; nothing of modules within, and no links. Blocks."""
    nested = [path.parent for path in folder.rglob("go.mod") if path.parent != folder]
    return [
        _copy(folder / name, folder)
        for name in list_files(folder)
        if not (folder / name).is_symlink()
        and not any((folder / name).is_relative_to(other) for other in nested)
    ]


def is_real(root: Path, path: Path) -> bool:
    """Whether ``path`` is there, and no link below ``root`` leads to it."""
    return path.exists() and path.resolve() == root.resolve() / path.relative_to(root)


def _copy(path: Path, root: Path) -> CopiedFile:
    mode = Mode.EXECUTABLE if path.stat().st_mode & 0o100 else Mode.FILE
    return CopiedFile(path.relative_to(root).as_posix(), path.read_bytes(), mode)


def _embedded(folder: Path, patterns: Sequence[str]) -> list[Path]:
    """The files below ``folder`` that the patterns of ``go:embed`` mean."""
    found: list[Path] = []
    for pattern in patterns:
        everything = pattern.startswith("all:")
        for path in sorted(folder.glob(pattern.removeprefix("all:"))):
            if ".." in pattern or not is_real(folder, path):
                continue
            if path.is_file():
                found.append(path)
                continue
            below = (path / name for name in list_files(path))
            found += [
                file
                for file in below
                if not file.is_symlink() and (everything or not _hidden(file.relative_to(path)))
            ]
    return found


def _hidden(path: Path) -> bool:
    return any(part.startswith((".", "_")) for part in path.parts)


def _metadata(folder: Path, root: Path) -> list[Path]:
    """Licenses and their like in ``folder`` and in those above it, up to ``root``."""
    above = [root, *(root / parent for parent in folder.relative_to(root).parents)]
    return [
        path
        for place in dict.fromkeys((folder, *above))
        for path in sorted(place.iterdir())
        if _METADATA.match(path.name) and path.is_file() and not path.is_symlink()
    ]
