# SPDX-License-Identifier: Apache-2.0
"""The layers of an image on top of each other, as the container that runs it sees them.

Layers are added from the top down, so what is found first counts: whatever an upper layer has,
removes (a whiteout) or replaces by something that is no folder hides what is below. That order
lets a reader stop as soon as the answer is complete.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator

import msgspec

from okd_payload.errors import ContentError
from okd_payload.oci.layers.entry import Entry, EntryKind, Whiteout, rooted_path, whiteout_of
from okd_payload.oci.layers.layer_tree import LayerTree

_MAX_LINKS = 40
"""As many links as Linux follows on the way to one file."""


class Node(msgspec.Struct, frozen=True):
    """What is at one path of an image, and the layer that brought it."""

    entry: Entry
    layer: int


class MergedTree:
    """Paths of an image; they have no leading slash, the root is ""."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        self._removed: set[str] = set()
        self._opaque: set[str] = set()
        self._open: dict[str, bool] = {}
        self._children: dict[str, list[str]] = {}

    def add_layer(self, number: int, entries: Iterable[Entry]) -> None:
        """Put the layer ``number`` below those added before. Raises ContentError."""
        tree = LayerTree()
        whiteouts: list[Whiteout] = []
        folders: set[str] = {""}
        for entry in entries:
            path = rooted_path(entry.name)
            _add_parents(path, folders)
            whiteout = whiteout_of(path)
            if whiteout is None:
                tree.add(entry)
            else:
                whiteouts.append(whiteout)
        for folder in folders.difference(tree.paths, {""}):
            tree.add(Entry(name=folder, kind=EntryKind.DIRECTORY, mode=0o755))
        replaced = [
            path
            for path, entry in tree.paths.items()
            if path in self._nodes and entry.kind is not EntryKind.DIRECTORY
        ]
        visible = [(path, entry) for path, entry in tree.paths.items() if self.shows(path)]
        self._nodes |= {path: Node(entry, number) for path, entry in visible}
        self._opaque.update(replaced)
        for whiteout in whiteouts:
            (self._opaque if whiteout.opaque else self._removed).add(whiteout.path)
        self._open.clear()
        self._children.clear()

    def shows(self, path: str) -> bool:
        """Whether ``path`` of the next layer below would be seen."""
        if path in self._nodes or path in self._removed:
            return False
        folder = posixpath.dirname(path)
        if folder not in self._open:
            self._open[folder] = all(map(self._lets_through, _with_parents(folder)))
        return self._open[folder]

    def node(self, path: str) -> Node | None:
        """What is at ``path``, its parents taken for the folders they should be."""
        return self._nodes.get(path)

    def resolve(self, path: str) -> str | None:
        """The path that ``path`` means after following all links, None when nothing is there.

        No link leads out of the image: the parent of the root is the root. Raises ContentError
        for links that go round in circles.
        """
        pending = path.split("/")[::-1]
        found = ""
        links = 0
        while pending:
            part = pending.pop()
            if part in ("", "."):
                continue
            if part == "..":
                found = posixpath.dirname(found)
                continue
            node = self._nodes.get(posixpath.join(found, part))
            if node is None or self._is_blocked(found):
                return None
            if node.entry.kind is not EntryKind.SYMBOLIC_LINK:
                found = posixpath.join(found, part)
                continue
            links += 1
            if links > _MAX_LINKS:
                raise ContentError(f"too many symbolic links on the way to {path!r}")
            pending += node.entry.link.split("/")[::-1]
            found = "" if node.entry.link.startswith("/") else found
        return found

    def file(self, path: str) -> Node | None:
        """The file at ``path`` that holds content, hard links into lower layers followed."""
        for _ in range(_MAX_LINKS):
            node = self._nodes.get(path)
            if node is None or node.entry.kind is not EntryKind.HARD_LINK:
                return node if node is not None and node.entry.kind is EntryKind.FILE else None
            path = rooted_path(node.entry.link)
        return None

    def is_folder(self, path: str) -> bool:
        """Whether ``path`` is a folder; the root always is one."""
        node = self._nodes.get(path)
        return not path or (node is not None and node.entry.kind is EntryKind.DIRECTORY)

    def walk(self, folder: str) -> Iterator[str]:
        """All paths below ``folder``, parents before children, siblings sorted."""
        pending = [folder]
        while pending:
            path = pending.pop()
            if path != folder:
                yield path
            if not self._is_blocked(path):
                pending += sorted(self.children(path), reverse=True)

    def children(self, folder: str) -> list[str]:
        """The paths directly in ``folder``."""
        if not self._children:
            for path in self._nodes:
                self._children.setdefault(posixpath.dirname(path), []).append(path)
        return self._children.get(folder, [])

    def _lets_through(self, folder: str) -> bool:
        return not (folder in self._removed or folder in self._opaque or self._is_blocked(folder))

    def _is_blocked(self, folder: str) -> bool:
        """Whether something other than a folder is at ``folder``."""
        node = self._nodes.get(folder)
        return node is not None and node.entry.kind is not EntryKind.DIRECTORY


def _add_parents(path: str, folders: set[str]) -> None:
    """Add the folders above ``path``, which exist whether an archive mentions them or not."""
    while (path := posixpath.dirname(path)) not in folders:
        folders.add(path)


def _with_parents(folder: str) -> Iterator[str]:
    yield folder
    while folder:
        folder = posixpath.dirname(folder)
        yield folder
