# SPDX-License-Identifier: Apache-2.0
"""Writing a layer: equal entries in equal order give equal bytes, today and elsewhere.

The caller decides names, order, owners and times; nothing is read from the file system and
nothing of this machine gets in. The layer has its final name only when it is complete.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from okd_payload.errors import ContentError, StorageError
from okd_payload.oci.digest import Digest
from okd_payload.oci.layers.compression import Bytes, Compression, GzipWriter, compression_of
from okd_payload.oci.layers.entry import NANOSECONDS, Entry, EntryKind
from okd_payload.oci.layers.tar_encoder import encode_header
from okd_payload.oci.layers.tar_header import ZERO_BLOCK, padding_of
from okd_payload.oci.manifest import Descriptor


class LayerBlob(msgspec.Struct, frozen=True, kw_only=True):
    """A layer that was written: the file, and all that a manifest and a config say of it."""

    path: Path
    digest: Digest
    """Of the file."""
    diff_id: Digest
    """Of the archive before compression."""
    size: int
    media_type: str

    @property
    def descriptor(self) -> Descriptor:
        """The pointer to this layer in a manifest."""
        return Descriptor(media_type=self.media_type, digest=self.digest, size=self.size)


class LayerWriter:
    """Writes one layer; as a context manager it removes a layer that was not finished.

    Blocking: a layer of more than a few megabytes belongs in a thread. Every method raises
    StorageError when the file cannot be written.
    """

    def __init__(self, path: Path, *, media_type: str) -> None:
        """Begin a layer that ``finish`` will put at ``path``: plain or gzip by ``media_type``."""
        compression = compression_of(media_type)
        if compression is Compression.ZSTD:
            raise ContentError("layers are written plain or with gzip, not with zstd")
        self._path = path
        self._media_type = media_type
        self._partial = path.with_name(f".{path.name}.partial")
        self._archive_hash, self._file_hash = hashlib.sha256(), hashlib.sha256()
        self._size = 0
        try:
            self._file = self._partial.open("wb")
        except OSError as error:
            raise _cannot_write(path, error) from error
        self._gzip = GzipWriter(self._store) if compression is Compression.GZIP else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
        self._partial.unlink(missing_ok=True)

    def add(self, entry: Entry, content: Iterable[Bytes] = ()) -> None:
        """Add ``entry``, whose ``size`` must be that of ``content`` together."""
        self._write(encode_header(entry))
        left = entry.size
        for piece in content:
            left -= len(piece)
            self._write(piece)
        if left:
            raise ContentError(f"{entry.name!r} is not as long as its header says")
        self._write(bytes(padding_of(entry.size)))

    def add_folder(self, name: str, *, mode: int = 0o755, mtime: int = 0) -> None:
        """Add a folder that belongs to root. No slash is added to ``name``."""
        self.add(
            Entry(name=name, kind=EntryKind.DIRECTORY, mode=mode, mtime_ns=mtime * NANOSECONDS)
        )

    def finish(self) -> LayerBlob:
        """Complete the layer and give the file its name."""
        self._write(ZERO_BLOCK * 2)
        if self._gzip is not None:
            self._gzip.finish()
        try:
            self._file.close()
            self._partial.replace(self._path)
        except OSError as error:
            raise _cannot_write(self._path, error) from error
        return LayerBlob(
            path=self._path,
            digest=Digest("sha256:" + self._file_hash.hexdigest()),
            diff_id=Digest("sha256:" + self._archive_hash.hexdigest()),
            size=self._size,
            media_type=self._media_type,
        )

    def _write(self, data: Bytes) -> None:
        self._archive_hash.update(data)
        if self._gzip is not None:
            self._gzip.write(data)
        else:
            self._store(data)

    def _store(self, data: Bytes) -> None:
        self._file_hash.update(data)
        self._size += len(data)
        try:
            self._file.write(data)
        except OSError as error:
            raise _cannot_write(self._path, error) from error


def _cannot_write(path: Path, error: OSError) -> StorageError:
    return StorageError(
        f"cannot write the layer {path}: {error.strerror or error}",
        hint="make room there, or choose another folder",
    )
