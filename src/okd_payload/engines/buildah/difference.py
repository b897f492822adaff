# SPDX-License-Identifier: Apache-2.0
"""A layer as the difference between two trees of files, and nothing of how it came about.

Storage drivers write different layers for the same build. An overlay holds every file and folder
that was ever opened for writing, unchanged ones too, and marks a folder made anew as opaque;
``vfs`` compares two trees and lists what is gone file by file. Here both become one: what does
not differ from the parent is left out, and so is every whiteout that hides nothing. Times alone
are no difference, since all own files get one time anyway. A ``chmod -R`` that changes nothing
then costs nothing, too.

A file is left out only after its content was compared with the parent's. Hard links are never.
"""

from __future__ import annotations

import asyncio
import hashlib
import posixpath
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

from okd_payload.oci.blob_sources import CHUNK_BYTES, FileSource
from okd_payload.oci.digest import Digest
from okd_payload.oci.layers.entry import Entry, EntryKind, rooted_path, whiteout_of
from okd_payload.oci.layers.layer_tree import LayerTree
from okd_payload.oci.layers.merged_tree import MergedTree
from okd_payload.oci.layers.scan import LayerScan, scan, scan_layer
from okd_payload.oci.layers.tar_encoder import encode_header
from okd_payload.oci.layers.tar_header import BLOCK_BYTES, padding_of
from okd_payload.oci.manifest import Descriptor
from okd_payload.oci.media_types import OCI_LAYER
from okd_payload.oci.repository import Blobs
from okd_payload.oci.threads import finish_in_thread

_KEPT_TREES = 8
"""A tree of a large image takes some 20 MB."""
_WHITEOUT = ".wh."
_MACHINE_XATTRS = ("security.selinux", "trusted.overlay.", "user.overlay.")


class ParentTree:
    """The files of a parent, and their content where it must be compared."""

    def __init__(self, blobs: Blobs, layers: tuple[Descriptor, ...]) -> None:
        self.files = MergedTree()
        self._blobs = blobs
        self._layers = layers

    async def read(self) -> None:
        """Read the headers of all layers."""
        for number in reversed(range(len(self._layers))):
            headers = _Headers()
            await self._scan(number, headers)
            await finish_in_thread(self.files.add_layer, number, headers.entries)

    async def hash_files(self, paths: list[str]) -> dict[str, bytes]:
        """Hashes of the content of the regular files ``paths``."""
        places = {path: self.files.file(path) for path in paths}
        wanted: dict[int, dict[int, bytes]] = {}
        for node in places.values():
            if node is not None:
                wanted.setdefault(node.layer, {})[node.entry.position] = b""
        for number, hashes in wanted.items():
            await self._scan(number, _Hashes(hashes))
        return {
            path: wanted[node.layer][node.entry.position]
            for path, node in places.items()
            if node is not None
        }

    async def _scan(self, number: int, visitor: _Headers | _Hashes) -> None:
        await scan_layer(self._blobs, self._layers[number], visitor)


class ParentTrees:
    """The trees of the parents used last, each read once however many builds stand on it."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._trees: dict[tuple[Digest, ...], ParentTree] = {}
        self._reading = asyncio.Lock()

    async def tree_of(self, layers: Sequence[Descriptor]) -> ParentTree:
        """The tree of ``layers``, lowest first. Raises ContentError and NotFound."""
        key = tuple(layer.digest for layer in layers)
        async with self._reading:
            tree = self._trees.pop(key, None)
            if tree is None:
                tree = ParentTree(self._blobs, tuple(layers))
                await tree.read()
            self._trees[key] = tree
            while len(self._trees) > _KEPT_TREES:
                del self._trees[next(iter(self._trees))]
            return tree


async def read_difference(archive: Path, parent: ParentTree) -> AsyncIterator[bytes]:
    """The layer in the file ``archive``, not compressed, as a difference from ``parent``."""
    headers = _Headers()
    await scan(FileSource(archive).open(), LayerScan(headers, media_type=OCI_LAYER))
    own = _OwnLayer(headers.entries)
    equal = [path for path in own.single_files() if _is_equal(own.paths[path], parent, path)]
    expected = await parent.hash_files(equal)
    hashes = dict.fromkeys((own.paths[path].position for path in equal), b"")
    if equal:
        await scan(FileSource(archive).open(), LayerScan(_Hashes(hashes), media_type=OCI_LAYER))
    unchanged = {path for path in equal if hashes[own.paths[path].position] == expected[path]}
    kept, whiteouts = await finish_in_thread(own.compare, parent.files, unchanged)
    for entry in headers.entries:
        if rooted_path(entry.name) in kept:
            yield encode_header(entry)
            for piece in _pieces(entry):
                yield await finish_in_thread(_read, archive, piece)
            yield bytes(padding_of(entry.size))
    for path in whiteouts:
        folder, name = posixpath.split(path)
        yield encode_header(Entry(name=posixpath.join(folder, _WHITEOUT + name), mode=0o755))
    yield bytes(2 * BLOCK_BYTES)


class _OwnLayer:
    """What a build added, changed and removed, as its driver tells it."""

    def __init__(self, entries: list[Entry]) -> None:
        tree = LayerTree()
        self._removed: list[str] = []
        self._opaque: list[str] = []
        for entry in entries:
            whiteout = whiteout_of(rooted_path(entry.name))
            if whiteout is None:
                tree.add(entry)
            else:
                (self._opaque if whiteout.opaque else self._removed).append(whiteout.path)
        self.paths = tree.paths

    def single_files(self) -> Iterator[str]:
        """Paths of regular files that have no other name in this layer."""
        names = Counter(entry.position for entry in self.paths.values())
        for path, entry in self.paths.items():
            if entry.kind is EntryKind.FILE and names[entry.position] == 1:
                yield path

    def compare(self, below: MergedTree, unchanged: set[str]) -> tuple[set[str], list[str]]:
        """The paths that differ from ``below``, with the folders they are in, and what is gone."""
        removed = {path for path in self._removed if path not in self.paths}
        for folder in self._opaque:
            removed |= set(self._gone_below(folder, below))
        gone = sorted(path for path in removed if self._hides(path, removed, below))
        different = {
            path
            for path, entry in self.paths.items()
            if path not in unchanged and not self._is_same_thing(path, entry, below)
        }
        kept = set(different)
        for path in (*different, *gone):
            while (path := posixpath.dirname(path)) and path not in kept:
                kept.add(path)
        return kept & self.paths.keys(), gone

    def _gone_below(self, folder: str, below: MergedTree) -> Iterator[str]:
        """What an opaque ``folder`` hides and does not bring back."""
        for path in below.children(folder):
            entry = self.paths.get(path)
            if entry is None:
                yield path
            elif entry.kind is EntryKind.DIRECTORY:
                yield from self._gone_below(path, below)

    def _hides(self, path: str, removed: set[str], below: MergedTree) -> bool:
        """Whether ``path`` of the parent would be seen without its whiteout."""
        if below.node(path) is None:
            return False
        while path := posixpath.dirname(path):
            entry = self.paths.get(path)
            if path in removed or (entry and entry.kind is not EntryKind.DIRECTORY):
                return False
        return True

    def _is_same_thing(self, path: str, entry: Entry, below: MergedTree) -> bool:
        """Whether a folder, link or device is as it was; files are compared by content."""
        if entry.kind in (EntryKind.FILE, EntryKind.HARD_LINK):
            return False
        node = below.node(path)
        return node is not None and _meaning(entry) == _meaning(node.entry)


class _Headers:
    """Keeps all entries."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def enter(self, entry: Entry) -> bool:
        self.entries.append(entry)
        return False

    def take(self, content: memoryview) -> None:
        """Nothing is wanted."""

    def leave(self) -> None:
        """As ``take``."""


class _Hashes:
    """Hashes the files at the wanted positions, in place."""

    def __init__(self, hashes: dict[int, bytes]) -> None:
        self._hashes = hashes
        self._position = 0
        self._hash = hashlib.sha256()

    def enter(self, entry: Entry) -> bool:
        self._position = entry.position
        self._hash = hashlib.sha256()
        return entry.position in self._hashes

    def take(self, content: memoryview) -> None:
        self._hash.update(content)

    def leave(self) -> None:
        self._hashes[self._position] = self._hash.digest()


def _is_equal(entry: Entry, parent: ParentTree, path: str) -> bool:
    """Whether the parent has a file at ``path`` that differs in content at most."""
    node = parent.files.file(path)
    return node is not None and _meaning(entry) == _meaning(node.entry)


def _meaning(entry: Entry) -> Entry:
    """``entry`` without name, place and time, and without what describes the machine only."""
    return Entry(
        name="",
        kind=entry.kind,
        mode=0o777 if entry.kind is EntryKind.SYMBOLIC_LINK else entry.mode & 0o7777,
        uid=entry.uid,
        gid=entry.gid,
        size=entry.size,
        link=entry.link if entry.kind is EntryKind.SYMBOLIC_LINK else "",
        device=entry.device,
        xattrs={
            name: value
            for name, value in entry.xattrs.items()
            if not name.startswith(_MACHINE_XATTRS)
        },
    )


def _pieces(entry: Entry) -> Iterator[range]:
    """Where the content of ``entry`` is in the archive."""
    end = entry.position + entry.size
    for start in range(entry.position, end, CHUNK_BYTES):
        yield range(start, min(start + CHUNK_BYTES, end))


def _read(archive: Path, piece: range) -> bytes:
    with archive.open("rb", buffering=0) as file:
        file.seek(piece.start)
        return file.read(len(piece))
