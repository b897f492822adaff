# SPDX-License-Identifier: Apache-2.0
"""Making a layer that another tool wrote reproducible.

What a build tool or a boot-strapping command writes says the same thing differently each time:
in the order of the disk, with the time of day, under the user names of the machine. Here it is
said in one way: entries sorted by path, all with one time, no user names, hard links pointing
at the first of their names, duplicates resolved, extended attributes sorted and without those
that only describe the machine. Owners, modes, devices, capabilities and whiteouts stay.

The archive goes through a temporary file, so memory holds headers and never content.
"""

from __future__ import annotations

import os
import posixpath
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import IO

import msgspec

from okd_payload.errors import ContentError, StorageError
from okd_payload.oci.layers.bounds import DEFAULT_BOUNDS, Bounds
from okd_payload.oci.layers.compression import Inflater
from okd_payload.oci.layers.entry import NANOSECONDS, Entry, EntryKind, rooted_path
from okd_payload.oci.layers.layer_tree import LayerTree
from okd_payload.oci.layers.scan import scan
from okd_payload.oci.layers.tar_reader import TarReader
from okd_payload.oci.layers.writer import LayerBlob, LayerWriter
from okd_payload.oci.threads import finish_in_thread

NORMAL_FORM = "1"
"""Changes when equal archives would be written differently; see ``compression.gzip_format``."""

_PIECE_BYTES = 1024 * 1024
_STEP_BYTES = 16 * 1024 * 1024
_MACHINE_XATTRS = ("security.selinux", "trusted.overlay.", "user.overlay.")


async def normalise_layer(
    chunks: AsyncIterator[bytes],
    target: Path,
    *,
    timestamp: int,
    media_type: str,
    bounds: Bounds = DEFAULT_BOUNDS,
) -> LayerBlob:
    """Rewrite the layer that ``chunks`` bring, compressed or not, as ``target``.

    All entries get the time ``timestamp``; an entry for the root itself is left out.
    ``media_type`` is that of the new layer. Raises ContentError and StorageError.
    """
    try:
        with tempfile.TemporaryFile(dir=target.parent) as archive:
            spool = _Spool(archive, bounds)
            await scan(chunks, spool)
            with LayerWriter(target, media_type=media_type) as writer:
                steps = _write_entries(spool.tree, archive, writer, timestamp)
                while await finish_in_thread(next, steps, None):
                    pass
                return await finish_in_thread(writer.finish)
    except OSError as error:
        raise StorageError(
            f"cannot rewrite a layer in {target.parent}: {error.strerror or error}",
            hint="make room there, or choose another folder",
        ) from error


class _Spool:
    """Keeps the inflated archive in a file, and which entry every path has."""

    def __init__(self, archive: IO[bytes], bounds: Bounds) -> None:
        self.tree = LayerTree()
        self._archive = archive
        self._inflater = Inflater(bounds=bounds)
        self._reader = TarReader(self, bounds=bounds)

    def feed(self, chunk: bytes) -> None:
        self._keep(self._inflater.feed(chunk))

    def finish(self) -> None:
        self._keep(self._inflater.finish())
        self._reader.finish()
        self._archive.flush()

    def _keep(self, pieces: Iterator[bytes]) -> None:
        for piece in pieces:
            self._archive.write(piece)
            self._reader.feed(piece)

    def enter(self, entry: Entry) -> bool:
        self.tree.add(entry)
        return False

    def take(self, content: memoryview) -> None:
        """Nothing is wanted: content is read from the file later."""

    def leave(self) -> None:
        """As ``take``."""


def _write_entries(
    tree: LayerTree, archive: IO[bytes], writer: LayerWriter, timestamp: int
) -> Iterator[bool]:
    """Write all entries in order; yield True now and then, between two of them."""
    first_names: dict[int, str] = {}
    checked = {""}
    written = 0
    for path in sorted(tree.paths, key=lambda path: path.split("/")):
        original = tree.paths[path]
        _check_folder(tree, posixpath.dirname(path), checked)
        entry = _normal_entry(path, original, timestamp)
        first = first_names.setdefault(original.position, path)
        if original.kind is EntryKind.FILE and first != path:
            entry = msgspec.structs.replace(entry, kind=EntryKind.HARD_LINK, link=first, size=0)
        writer.add(entry, _content(archive, original.position, entry.size))
        written += entry.size
        if written >= _STEP_BYTES:
            written = 0
            yield True


def _normal_entry(path: str, entry: Entry, timestamp: int) -> Entry:
    is_folder = entry.kind is EntryKind.DIRECTORY
    is_device = entry.kind in (EntryKind.CHARACTER_DEVICE, EntryKind.BLOCK_DEVICE)
    return Entry(
        name=f"{path}/" if is_folder else path,
        kind=entry.kind,
        mode=0o777 if entry.kind is EntryKind.SYMBOLIC_LINK else entry.mode,
        uid=entry.uid,
        gid=entry.gid,
        size=entry.size,
        mtime_ns=timestamp * NANOSECONDS,
        link=_normal_link(entry),
        device=entry.device if is_device else (0, 0),
        xattrs={
            name: value
            for name, value in entry.xattrs.items()
            if not name.startswith(_MACHINE_XATTRS)
        },
    )


def _normal_link(entry: Entry) -> str:
    if entry.kind is EntryKind.HARD_LINK:
        return rooted_path(entry.link)
    return entry.link if entry.kind is EntryKind.SYMBOLIC_LINK else ""


def _check_folder(tree: LayerTree, folder: str, checked: set[str]) -> None:
    """Refuse what would be written through a link, or into a file, when unpacked."""
    while folder not in checked:
        checked.add(folder)
        entry = tree.paths.get(folder)
        if entry is not None and entry.kind is not EntryKind.DIRECTORY:
            raise ContentError(f"a layer is damaged: it has something in {folder!r}, no folder")
        folder = posixpath.dirname(folder)


def _content(archive: IO[bytes], position: int, size: int) -> Iterator[bytes]:
    while size:
        piece = os.pread(archive.fileno(), min(size, _PIECE_BYTES), position)
        if not piece:
            raise ContentError("a temporary file lost its end while a layer was rewritten")
        position += len(piece)
        size -= len(piece)
        yield piece
