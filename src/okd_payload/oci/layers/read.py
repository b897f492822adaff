# SPDX-License-Identifier: Apache-2.0
"""Files of layers, read into memory: of one layer, or of all layers of an image.

Made for manifests and the like: what is wanted is told by name, content is bounded, links are
not followed. Files on disk, with links, are the business of ``extract``.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

import msgspec

from okd_payload.errors import TooLarge
from okd_payload.oci.layers.bounds import DEFAULT_BOUNDS, Bounds
from okd_payload.oci.layers.entry import Entry, EntryKind, rooted_path
from okd_payload.oci.layers.merged_tree import MergedTree
from okd_payload.oci.layers.scan import scan_layer, scan_layer_in_steps
from okd_payload.oci.manifest import Descriptor
from okd_payload.oci.repository import Blobs

Want = Callable[[Entry], bool]


class LayerFile(msgspec.Struct, frozen=True):
    """A regular file of a layer."""

    entry: Entry
    content: bytes


async def read_files(
    blobs: Blobs, layer: Descriptor, *, want: Want, bounds: Bounds = DEFAULT_BOUNDS
) -> AsyncGenerator[LayerFile]:
    """The regular files of ``layer`` that ``want`` accepts, in the order of the archive.

    A name may occur twice; the later file is the one that counts. Closing the generator early
    leaves the rest of the layer unread and all of it unverified. Raises NotFound and
    ContentError.
    """
    kept = _Kept(want, bounds)
    async with aclosing(scan_layer_in_steps(blobs, layer, kept, bounds=bounds)) as steps:
        async for _ in steps:
            for file in kept.release():
                yield file


async def read_merged_files(
    blobs: Blobs, layers: Sequence[Descriptor], *, want: Want, bounds: Bounds = DEFAULT_BOUNDS
) -> list[LayerFile]:
    """The regular files that ``want`` accepts in the image made of ``layers``, lowest first.

    Sorted by path. Upper layers and whiteouts hide what is below them; hard links count as
    absent and symbolic links are not followed. Raises NotFound and ContentError.
    """
    tree = MergedTree()
    found: dict[str, LayerFile] = {}
    for number, layer in reversed(list(enumerate(layers))):
        collected = _Collected(
            lambda entry: want(entry) and tree.shows(rooted_path(entry.name)), bounds
        )
        await scan_layer(blobs, layer, collected, bounds=bounds)
        tree.add_layer(number, collected.entries)
        for file in collected.release():
            path = rooted_path(file.entry.name)
            node = tree.node(path)
            if node is not None and node.entry is file.entry:
                found[path] = file
    return [found[path] for path in sorted(found)]


class _Kept:
    """A visitor that keeps the content of the files that are wanted."""

    def __init__(self, want: Want, bounds: Bounds) -> None:
        self._want = want
        self._left = bounds.kept_bytes
        self._entry: Entry | None = None
        self._content = bytearray()
        self._files: list[LayerFile] = []

    def enter(self, entry: Entry) -> bool:
        if entry.kind is not EntryKind.FILE or not self._want(entry):
            return False
        self._left -= entry.size
        if self._left < 0:
            raise TooLarge(
                f"{entry.name!r} and the files before it are too large to keep in memory"
            )
        self._entry = entry
        return True

    def take(self, content: memoryview) -> None:
        self._content += content

    def leave(self) -> None:
        if self._entry is not None:
            self._files.append(LayerFile(self._entry, bytes(self._content)))
            self._content.clear()

    def release(self) -> list[LayerFile]:
        """The files complete by now, each once."""
        files, self._files = self._files, []
        return files


class _Collected(_Kept):
    """The same, and all entries."""

    def __init__(self, want: Want, bounds: Bounds) -> None:
        super().__init__(want, bounds)
        self.entries: list[Entry] = []

    def enter(self, entry: Entry) -> bool:
        self.entries.append(entry)
        return super().enter(entry)
