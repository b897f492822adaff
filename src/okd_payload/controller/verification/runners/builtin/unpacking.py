# SPDX-License-Identifier: Apache-2.0
"""Layers of images on this disk: each is read once, and gone when its last image was judged.

Files lie in a folder of their layer under their place in its archive, not under their names, so
nothing that an image says can lead them anywhere. The tree of an image is made of further names
of the same files: a base that hundred images share is written once.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import msgspec

from okd_payload.errors import StorageError
from okd_payload.oci.digest import Digest
from okd_payload.oci.layers.bounds import Bounds
from okd_payload.oci.layers.destination import Destination
from okd_payload.oci.layers.entry import Entry, EntryKind
from okd_payload.oci.layers.merged_tree import MergedTree
from okd_payload.oci.layers.scan import scan_layer
from okd_payload.oci.layers.staging import StagingVisitor
from okd_payload.oci.manifest import Descriptor
from okd_payload.oci.repository import Repository
from okd_payload.oci.threads import finish_in_thread
from okd_payload.scratch import remove_tree

_BOUNDS = Bounds(expanded_bytes=16 * 1024**3)
_MAY_RUN = 0o111
_SYSTEM = ("dev", "proc", "run", "tmp")
"""Folders that the system fills for a program; an image's own are not seen."""


class UnpackedLayer(msgspec.Struct, frozen=True):
    """What is in a layer, and where the files of it are that were wanted."""

    entries: tuple[Entry, ...]
    folder: Path

    def file_of(self, entry: Entry) -> Path:
        """Where the content of ``entry`` is."""
        return self.folder / str(entry.position)


class LayerStore:
    """The layers of the images that are being judged."""

    def __init__(self, folder: Path, wants: Callable[[Entry], bool]) -> None:
        """``wants`` says of which files the content is needed."""
        self._folder = folder
        self._wants = wants
        self._uses: collections.Counter[Digest] = collections.Counter()
        self._layers: dict[Digest, asyncio.Task[UnpackedLayer]] = {}

    def expect(self, layers: Iterable[Descriptor]) -> None:
        """Say that an image with ``layers`` will be judged."""
        self._uses.update({layer.digest for layer in layers})

    async def take(self, repository: Repository, layer: Descriptor) -> UnpackedLayer:
        """The layer, which whoever asks first brings here. Raises ContentError, StorageError."""
        if layer.digest not in self._layers:
            self._layers[layer.digest] = asyncio.ensure_future(self._unpack(repository, layer))
        return await asyncio.shield(self._layers[layer.digest])

    async def let_go(self, layers: Iterable[Descriptor]) -> None:
        """Say that an image with ``layers`` was judged; what nobody needs any more is deleted."""
        for digest in {layer.digest for layer in layers}:
            self._uses[digest] -= 1
            task = self._layers.get(digest) if self._uses[digest] <= 0 else None
            if task is not None:
                del self._layers[digest]
                task.cancel()
                await asyncio.wait([task])
                await finish_in_thread(remove_tree, self._folder_of(digest))

    async def close(self) -> None:
        """End what is still being read."""
        for task in self._layers.values():
            task.cancel()
        if self._layers:
            await asyncio.wait(self._layers.values())
        self._layers.clear()

    def _folder_of(self, digest: Digest) -> Path:
        return self._folder / digest.replace(":", "-")

    async def _unpack(self, repository: Repository, layer: Descriptor) -> UnpackedLayer:
        folder = self._folder_of(layer.digest)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            reader = _Reader(folder, self._wants)
            with contextlib.closing(reader):
                await scan_layer(repository.blobs, layer, reader, bounds=_BOUNDS)
        except OSError as error:
            raise StorageError(
                f"cannot unpack images below {self._folder}: {error.strerror}",
                hint="make room in the state folder",
            ) from error
        return UnpackedLayer(entries=tuple(reader.entries), folder=folder)


class _Reader(StagingVisitor):
    """A visitor that lists a layer, and writes what is wanted of it."""

    def __init__(self, folder: Path, wants: Callable[[Entry], bool]) -> None:
        super().__init__()
        self.entries: list[Entry] = []
        self._folder = folder
        self._wants = wants

    def enter(self, entry: Entry) -> bool:
        self.entries.append(entry)
        if entry.kind is not EntryKind.FILE or not self._wants(entry):
            return False
        self.stage(self._folder / str(entry.position))
        return True


def make_root(tree: MergedTree, layers: Mapping[int, UnpackedLayer], root: Path) -> None:
    """Make the file system of an image in ``root``, an empty folder. Raises UnsafeEntry, OSError.

    Everybody may read it and run what somebody may run: a cluster gives a container any user.
    """
    root.chmod(0o755)
    with Destination(root, ".") as target:
        for name in _SYSTEM:
            target.make_folder(name, mode=0o755)
        for path in tree.walk(""):
            node, file = tree.node(path), tree.file(path)
            if node is None or path.partition("/")[0] in _SYSTEM:
                continue
            if node.entry.kind is EntryKind.DIRECTORY:
                target.make_folder(path, mode=0o755)
            elif node.entry.kind is EntryKind.SYMBOLIC_LINK:
                target.place_link(path, node.entry.link)
            elif file is not None:
                entry = file.entry
                mode = 0o555 if entry.mode & _MAY_RUN else 0o444
                staged = layers[file.layer].file_of(entry)
                target.place_file(path, staged, mode=mode, mtime_ns=entry.mtime_ns)
