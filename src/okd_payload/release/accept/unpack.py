# SPDX-License-Identifier: Apache-2.0
"""A release as a cluster unpacks it: a container of the image copies two folders out of it.

So what counts is the image as a container sees it, all layers on top of each other, with the
programs that do the copying. Links stay links when they are copied: one to a neighbour is good,
any other leads nowhere afterwards.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from okd_payload.errors import ContentError, StorageError, TooLarge
from okd_payload.oci.image import Image
from okd_payload.oci.layers.bounds import DEFAULT_BOUNDS
from okd_payload.oci.layers.entry import Entry, EntryKind
from okd_payload.oci.layers.merged_tree import MergedTree
from okd_payload.oci.layers.scan import scan_layer
from okd_payload.oci.repository import Repository
from okd_payload.release import labels
from okd_payload.release.cluster.payload import OWN_FOLDER
from okd_payload.release.cluster.tree import PayloadFolder, PayloadTree

PROGRAMS: Final = ("sh", "rm", "mkdir", "cp", "mv")
"""What a cluster runs in the image."""
_SEARCHED = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_MAY_RUN = 0o111
_NOTHING_THERE, _IS_FOLDER = "no such file or directory", "is a directory"


class Unpacked(msgspec.Struct, frozen=True, kw_only=True):
    """What a cluster gets out of an image."""

    tree: PayloadTree
    missing_programs: tuple[str, ...] = ()


def read_unpacked(root: Path) -> PayloadTree:
    """A payload that was unpacked to ``root``, both folders of it. Raises StorageError."""
    return PayloadTree(
        own=_read_folder(root / OWN_FOLDER), release=_read_folder(root / labels.FOLDER)
    )


def read_release_folder(folder: Path) -> PayloadTree:
    """The release's part of a payload in ``folder``; the operator's own is taken for empty.

    Raises StorageError.
    """
    return PayloadTree(own=PayloadFolder(), release=_read_folder(folder))


def _read_folder(folder: Path) -> PayloadFolder | None:
    """What lies in ``folder``, links followed; None when there is no such folder."""
    if not folder.is_dir():
        return None
    files: dict[str, bytes] = {}
    broken: dict[str, str] = {}
    folders: set[str] = set()
    try:
        for path in folder.iterdir():
            if path.is_file():
                files[path.name] = path.read_bytes()
            elif path.is_dir() and not path.is_symlink():
                folders.add(path.name)
            else:
                broken[path.name] = _IS_FOLDER if path.is_dir() else _NOTHING_THERE
    except OSError as error:
        raise StorageError(
            f"cannot read {folder}: {error.strerror}", hint="check who may read it"
        ) from error
    return PayloadFolder(files=files, folders=frozenset(folders), broken=broken)


async def unpack_image(repository: Repository, image: Image) -> Unpacked:
    """A release in an image; every layer is read once. Raises NotFound and ContentError."""
    unpacking = _Unpacking()
    for number, layer in reversed(list(enumerate(image.layers))):
        await scan_layer(repository.blobs, layer, unpacking)
        unpacking.finish_layer(number)
    path = next((text for text in image.config.config.env if text.startswith("PATH=")), "")
    return Unpacked(
        tree=PayloadTree(own=unpacking.folder(OWN_FOLDER), release=unpacking.folder(labels.FOLDER)),
        missing_programs=unpacking.find_missing(path.removeprefix("PATH=") or _SEARCHED),
    )


class _Unpacking:
    """A visitor of all layers, from the top one down."""

    def __init__(self) -> None:
        self._tree = MergedTree()
        self._entries: list[Entry] = []
        self._contents: dict[int, tuple[Entry, bytes]] = {}
        self._left = DEFAULT_BOUNDS.kept_bytes
        self._content = bytearray()

    def enter(self, entry: Entry) -> bool:
        self._entries.append(entry)
        folder, slash, name = entry.path.lstrip("/").partition("/")
        if not slash or "/" in name or folder not in (OWN_FOLDER, labels.FOLDER):
            return False
        self._left -= entry.size
        if self._left < 0:
            raise TooLarge(
                "the manifests are too large to keep in memory", hint="is this image a release?"
            )
        return entry.kind is EntryKind.FILE

    def take(self, content: memoryview) -> None:
        self._content += content

    def leave(self) -> None:
        entry = self._entries[-1]
        self._contents[id(entry)] = entry, bytes(self._content)
        self._content.clear()

    def finish_layer(self, number: int) -> None:
        """Put the layer that was just read below those before it."""
        self._tree.add_layer(number, self._entries)
        self._entries = []

    def folder(self, name: str) -> PayloadFolder | None:
        """What lies directly in a folder of the image; None when there is no such folder."""
        if not self._tree.is_folder(name):
            return None
        files: dict[str, bytes] = {}
        broken: dict[str, str] = {}
        folders: set[str] = set()
        for path in self._tree.children(name):
            base = path.removeprefix(f"{name}/")
            if self._tree.is_folder(path):
                folders.add(base)
                continue
            found = self._read(path, name)
            if isinstance(found, bytes):
                files[base] = found
            else:
                broken[base] = found
        return PayloadFolder(files=files, folders=frozenset(folders), broken=broken)

    def _read(self, path: str, folder: str) -> bytes | str:
        """The content of a file, or why there is none after it was copied."""
        node = self._tree.node(path)
        if node is not None and node.entry.kind is EntryKind.SYMBOLIC_LINK:
            target = node.entry.link.removeprefix("./")
            if "/" in target or target in ("", ".", ".."):
                return _NOTHING_THERE
            path = f"{folder}/{target}"
            if self._tree.is_folder(path):
                return _IS_FOLDER
        file = self._tree.file(path)
        kept = self._contents.get(id(file.entry)) if file else None
        return kept[1] if kept else _NOTHING_THERE

    def find_missing(self, searched: str) -> tuple[str, ...]:
        """The programs that are in none of the folders ``searched``."""
        folders = [folder.strip("/") for folder in searched.split(":") if folder]
        return tuple(
            program
            for program in PROGRAMS
            if not any(self._may_run(f"{folder}/{program}") for folder in folders)
        )

    def _may_run(self, path: str) -> bool:
        try:
            resolved = self._tree.resolve(path)
        except ContentError:
            return False
        node = self._tree.file(resolved) if resolved else None
        return node is not None and bool(node.entry.mode & _MAY_RUN)
