# SPDX-License-Identifier: Apache-2.0
"""Taking a file or folder out of an image, to a folder of this machine.

What is taken is what a container of the image would see at that path: layers merged, links on
the way followed inside the image only. Layers are read from the top, and no further than the
answer needs; content under the wanted name is kept while reading, so that only a link to
elsewhere in the image makes a second reading necessary.

Neither the image nor what is in the destination already is trusted: folders are opened one by
one and never through a link, files are made under new names and linked into place, ownership
and set-user-id bits are dropped, devices are left out. Symbolic links are copied as they are.
"""

from __future__ import annotations

import logging
import posixpath
import tempfile
from collections.abc import Sequence
from pathlib import Path

from okd_payload.errors import StorageError, UnknownName
from okd_payload.oci.layers.bounds import DEFAULT_BOUNDS, Bounds
from okd_payload.oci.layers.destination import Destination
from okd_payload.oci.layers.entry import Entry, EntryKind, clean_path, rooted_path
from okd_payload.oci.layers.merged_tree import MergedTree, Node
from okd_payload.oci.layers.scan import scan_layer
from okd_payload.oci.layers.staging import StagingVisitor
from okd_payload.oci.manifest import Descriptor
from okd_payload.oci.repository import Blobs
from okd_payload.oci.threads import finish_in_thread

_log = logging.getLogger(__name__)


async def extract_path(
    blobs: Blobs,
    layers: Sequence[Descriptor],
    source: str,
    *,
    root: Path,
    destination: str = ".",
    bounds: Bounds = DEFAULT_BOUNDS,
) -> None:
    """Copy ``source`` of the image made of ``layers``, lowest first, into a folder.

    The folder is ``destination`` below ``root``, made where it is missing. A file or folder
    lands inside it under the last part of its name; ``folder/.`` stands for what is in the
    folder. Existing files are replaced, folders joined. Raises UnknownName when the image has no
    such path, ContentError when it is damaged or reaches out of its place, StorageError.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=".okd-payload-", dir=root) as staging:
            image = _StagedImage(blobs, layers, Path(staging), bounds)
            await image.read(rooted_path(source))
            path = image.tree.resolve(source)
            if path is None:
                raise _absent(source, image.tree)
            await image.stage(path)
            with Destination(root, destination) as target:
                await finish_in_thread(_place, image, path, target, name=_name_of(source))
    except OSError as error:
        raise StorageError(
            f"cannot write below {root}: {error.strerror or error}",
            hint="make room there, or choose another folder",
        ) from error


class _StagedImage:
    """The tree of an image, and the files of it that are on disk by now."""

    def __init__(
        self, blobs: Blobs, layers: Sequence[Descriptor], staging: Path, bounds: Bounds
    ) -> None:
        self.tree = MergedTree()
        self._blobs = blobs
        self._layers = layers
        self._bounds = bounds
        self._staging = staging

    async def read(self, path: str) -> None:
        """Add layers from the top until it is known what is at ``path``."""
        for number in reversed(range(len(self._layers))):
            reader = _LayerReader(self, number, below=path)
            await self._scan(reader)
            self.tree.add_layer(number, reader.entries)
            if self.tree.file(path) is not None and self.tree.resolve(path) == path:
                return

    async def stage(self, path: str) -> None:
        """Bring every file at or below ``path`` to disk that is not there yet."""
        wanted: dict[int, set[int]] = {}
        for member in (path, *self.tree.walk(path)):
            node = self.tree.file(member)
            if node is not None and not self.file_of(node).exists():
                wanted.setdefault(node.layer, set()).add(node.entry.position)
        for number, positions in wanted.items():
            await self._scan(_LayerReader(self, number, positions=positions))

    def file_of(self, node: Node) -> Path:
        """Where the content of ``node`` is, or will be."""
        return self._staging / f"{node.layer}-{node.entry.position}"

    async def _scan(self, reader: _LayerReader) -> None:
        layer = self._layers[reader.layer]
        try:
            await scan_layer(self._blobs, layer, reader, bounds=self._bounds)
        finally:
            reader.close()


class _LayerReader(StagingVisitor):
    """A visitor that brings the wanted files of one layer to disk: by place or by position."""

    def __init__(
        self,
        image: _StagedImage,
        layer: int,
        *,
        below: str | None = None,
        positions: set[int] | None = None,
    ) -> None:
        super().__init__()
        self.layer = layer
        self.entries: list[Entry] = []
        self._image = image
        self._below = None if below is None else below and f"{below}/"
        self._positions = positions or set()

    def enter(self, entry: Entry) -> bool:
        self.entries.append(entry)
        if entry.kind is not EntryKind.FILE or not self._wants(entry):
            return False
        self.stage(self._image.file_of(Node(entry, self.layer)))
        return True

    def _wants(self, entry: Entry) -> bool:
        if self._below is None:
            return entry.position in self._positions
        path = rooted_path(entry.name)
        return f"{path}/".startswith(self._below) and self._image.tree.shows(path)


def _name_of(source: str) -> str:
    """The name that ``source`` gets at the destination, "" when only its content goes there."""
    return "" if source.endswith("/.") else posixpath.basename(clean_path(source))


def _place(image: _StagedImage, path: str, target: Destination, *, name: str) -> None:
    """Put what was staged of ``path`` into ``target``, as ``name``."""
    if not image.tree.is_folder(path):
        name = name or posixpath.basename(path)
    for member in (path, *image.tree.walk(path)):
        relative = posixpath.join(name, member[len(path) :].lstrip("/")).rstrip("/")
        if relative:
            _place_member(image, member, target, relative)


def _place_member(image: _StagedImage, path: str, target: Destination, relative: str) -> None:
    node = image.tree.node(path)
    file = image.tree.file(path)
    if node is None or node.entry.kind is EntryKind.DIRECTORY:
        target.make_folder(relative, mode=node.entry.mode if node else 0o755)
    elif node.entry.kind is EntryKind.SYMBOLIC_LINK:
        target.place_link(relative, node.entry.link)
    elif file is not None:
        entry = file.entry
        staged = image.file_of(file)
        target.place_file(relative, staged, mode=entry.mode, mtime_ns=entry.mtime_ns)
    else:
        _log.debug("left out %s of an image: %s", path, node.entry.kind.name)


def _absent(source: str, tree: MergedTree) -> UnknownName:
    folder = tree.resolve(posixpath.dirname(source.rstrip("/.")))
    known = [] if folder is None else tree.children(folder)
    return UnknownName("path in the image", source, known=(f"/{path}" for path in known))
