# SPDX-License-Identifier: Apache-2.0
"""One layer as a tree: which entry each path finally has.

As when an archive is unpacked, the last entry of a name counts, and a hard link shares the
file that its target was at that moment, even when the target is replaced later.
"""

from __future__ import annotations

from okd_payload.errors import ContentError
from okd_payload.oci.layers.entry import Entry, EntryKind, rooted_path


class LayerTree:
    """Entries by path. Hard links are the entry of their file, the same object."""

    def __init__(self) -> None:
        self.paths: dict[str, Entry] = {}
        """Without the root, which says nothing that matters. A hard link stays one only when
        its target is not in this layer."""

    def add(self, entry: Entry) -> None:
        """Put the next entry of the archive in its place. Raises ContentError."""
        path = rooted_path(entry.name)
        if not path:
            return
        self.paths[path] = self._target_of(entry) if entry.kind is EntryKind.HARD_LINK else entry

    def _target_of(self, link: Entry) -> Entry:
        target = self.paths.get(rooted_path(link.link), link)
        if target.kind is EntryKind.DIRECTORY:
            raise ContentError(f"a layer is damaged: {link.name!r} is a hard link to a folder")
        return target
