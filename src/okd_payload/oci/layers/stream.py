# SPDX-License-Identifier: Apache-2.0
"""Streaming a few files of an image to those who want them: one pass over each layer.

Made for large files: nothing is held in memory or put on disk here. Layers are read from the
top, and none below the one where the last wanted file was found. Whoever takes a file gets it
while it arrives, so before its layer has been verified: what is made of it is worth nothing
until ``stream_files`` has returned. Links are followed inside the image, which takes another
pass where the file that a link means went by before the link was seen.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from typing import Protocol

from okd_payload.errors import ContentError
from okd_payload.oci.layers.bounds import DEFAULT_BOUNDS, Bounds
from okd_payload.oci.layers.entry import Entry, EntryKind, rooted_path, whiteout_of
from okd_payload.oci.layers.merged_tree import MergedTree
from okd_payload.oci.layers.scan import scan_layer
from okd_payload.oci.manifest import Descriptor
from okd_payload.oci.repository import Blobs

_MAX_LINKS = 10
"""Each may cost a pass over all layers; real images have one or two."""


class Sink(Protocol):
    """Takes one file, in a thread."""

    def begin(self, entry: Entry) -> None:
        """The file begins; whatever was taken before is void, for a later one replaces it."""
        ...

    def take(self, content: memoryview) -> None:
        """The next bytes, valid during the call only."""
        ...

    def end(self) -> None:
        """The file is complete."""
        ...


async def stream_files(
    blobs: Blobs,
    layers: Sequence[Descriptor],
    sinks: Mapping[str, Sequence[Sink]],
    *,
    bounds: Bounds = DEFAULT_BOUNDS,
) -> set[str]:
    """Give the files at the paths of ``sinks``, in the image made of ``layers``, lowest first.

    The paths that are no file in the image are returned. Raises NotFound and ContentError, and
    whatever a sink raises.
    """
    pending = {path: rooted_path(path) for path in sinks}
    absent: set[str] = set()
    for _ in range(_MAX_LINKS):
        wanted: dict[str, list[Sink]] = {}
        for path, place in pending.items():
            wanted.setdefault(place, []).extend(sinks[path])
        image = await _read(blobs, layers, wanted, bounds)
        led = {path: image.follow(place) for path, place in pending.items()}
        absent |= {path for path, place in led.items() if place is None}
        pending = {path: place for path, place in led.items() if place}
        if not pending:
            return absent
    raise ContentError(f"too many links on the way to {', '.join(sorted(pending))}")


async def _read(
    blobs: Blobs,
    layers: Sequence[Descriptor],
    wanted: Mapping[str, Sequence[Sink]],
    bounds: Bounds,
) -> _Image:
    """What the layers say about the ``wanted`` paths, their files given to the sinks."""
    image = _Image(wanted)
    for number in reversed(range(len(layers))):
        visitor = _Visitor(image)
        await scan_layer(blobs, layers[number], visitor, bounds=bounds)
        image.tree.add_layer(number, visitor.entries)
        if not any(image.tree.shows(path) for path in wanted):
            break
    return image


class _Image:
    """What is known of the wanted paths so far."""

    def __init__(self, wanted: Mapping[str, Sequence[Sink]]) -> None:
        self.wanted = wanted
        self.places = {place for path in wanted for place in _with_parents(path)}
        self.tree = MergedTree()
        self.given: dict[str, Entry] = {}
        """The entries that sinks got last, by path."""

    def follow(self, path: str) -> str | None:
        """Where ``path`` leads: "" when it was given, None when it is no file."""
        for place in _with_parents(path):
            node = self.tree.node(place)
            if node is None:
                continue
            entry = node.entry
            if entry.kind is EntryKind.SYMBOLIC_LINK:
                folder = "" if entry.link.startswith("/") else posixpath.dirname(place)
                target = posixpath.join("/", folder, entry.link, path[len(place) :].lstrip("/"))
                return posixpath.normpath(target).lstrip("/")
            if place == path and entry.kind is EntryKind.HARD_LINK:
                return rooted_path(entry.link)
            if place == path and entry.kind is EntryKind.FILE:
                # Of a hard link into its own layer, the tree has the entry of the target.
                return "" if self.given.get(path) is entry else rooted_path(entry.name)
        return None


class _Visitor:
    """Keeps what one layer says about some paths, and passes their files on."""

    def __init__(self, image: _Image) -> None:
        self.entries: list[Entry] = []
        self._image = image
        self._takers: Sequence[Sink] = ()

    def enter(self, entry: Entry) -> bool:
        path, image = rooted_path(entry.name), self._image
        if path not in image.places:
            whiteout = whiteout_of(path)
            if whiteout is not None and whiteout.path in image.places:
                self.entries.append(entry)
            return False
        self.entries.append(entry)
        takers = image.wanted.get(path, ())
        if entry.kind is not EntryKind.FILE or not takers or not image.tree.shows(path):
            return False
        image.given[path] = entry
        self._takers = takers
        for sink in takers:
            sink.begin(entry)
        return True

    def take(self, content: memoryview) -> None:
        for sink in self._takers:
            sink.take(content)

    def leave(self) -> None:
        for sink in self._takers:
            sink.end()


def _with_parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[: count + 1]) for count in range(len(parts))]
