# SPDX-License-Identifier: Apache-2.0
"""The files of blobs, one by one: reading them verified, and bringing new ones in.

A new blob is written in the writer's own folder, verified, brought to the disk and only then
renamed to its place: under its final name there is never anything but the right content. What a
failing disk made of it later is found by the digest when it is read; the file is then removed, so
that the command that needed it, run again, fetches or builds it again instead of finding it there.
"""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Sequence
from io import FileIO
from pathlib import Path
from typing import Self

from okd_payload.errors import DigestMismatch, NotFound, TooLarge
from okd_payload.oci.digest import Digest, Verifier
from okd_payload.oci.layout.files import storage_errors
from okd_payload.oci.layout.folder import BlobFolder
from okd_payload.oci.layout.writer import Membership
from okd_payload.oci.manifest import Descriptor

CHUNK_BYTES = 1024 * 1024

_log = logging.getLogger(__name__)
_NO_LINK = frozenset(
    {errno.ENOENT, errno.EXDEV, errno.EPERM, errno.EACCES, errno.EMLINK, errno.EOPNOTSUPP}
)
"""Why a hard link cannot be made although nothing is wrong."""


class BlobReader:
    """An open blob, read in order and verified on the way."""

    def __init__(self, folder: BlobFolder, digest: Digest, size: int | None) -> None:
        """Open the file. Raises NotFound and StorageError."""
        self._path = folder.blob(digest)
        self._digest = digest
        self._verifier = Verifier(digest, size)
        with storage_errors("read", self._path):
            try:
                self._file = self._path.open("rb", buffering=0)
            except (FileNotFoundError, NotADirectoryError) as error:
                raise NotFound(
                    f"{folder.name} has no blob {digest}",
                    hint="copy, mirror or build the image again",
                ) from error

    def read_chunk(self) -> bytes:
        """The next bytes; empty at the end. Raises DigestMismatch."""
        with storage_errors("read", self._path):
            chunk = self._file.read(CHUNK_BYTES)
        try:
            if chunk:
                self._verifier.update(chunk)
            else:
                self._verifier.finish()
        except DigestMismatch as error:
            if not self._is_damaged():
                raise
            self._remove()
            raise DigestMismatch(
                str(error), hint="the damaged file was removed: run the command again"
            ) from error
        return chunk

    def read_all(self, *, max_bytes: int) -> bytes:
        """The whole content. Raises TooLarge and DigestMismatch."""
        with storage_errors("read", self._path):
            size = os.fstat(self._file.fileno()).st_size
        if size > max_bytes:
            raise TooLarge(f"{self._path} has {size} bytes, more than the {max_bytes} allowed here")
        return b"".join(iter(self.read_chunk, b""))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _is_damaged(self) -> bool:
        """Whether the file is wrong, and not only the size that was asked for."""
        verifier = Verifier(self._digest)
        with storage_errors("read", self._path):
            self._file.seek(0)
            while chunk := self._file.read(CHUNK_BYTES):
                verifier.update(chunk)
        try:
            verifier.finish()
        except DigestMismatch:
            return True
        return False

    def _remove(self) -> None:
        _log.warning("removing %s, because its content is damaged", self._path)
        with storage_errors("remove the damaged", self._path):
            self._path.unlink(missing_ok=True)


class IncomingBlob:
    """A blob that is being written: in its place after ``finish``, else gone at the end."""

    def __init__(self, folder: BlobFolder, member: Membership, descriptor: Descriptor) -> None:
        self._final = folder.blob(descriptor.digest)
        self._member = member
        self._verifier = Verifier(descriptor.digest, descriptor.size)
        self._file: FileIO | None = None

    def write(self, chunks: Sequence[bytes]) -> None:
        """Take the next bytes. Raises DigestMismatch and StorageError."""
        for chunk in chunks:
            self._verifier.update(chunk)
        with storage_errors("write", self._final):
            file = self._open()
            for chunk in chunks:
                rest = memoryview(chunk)
                while rest:
                    rest = rest[file.write(rest) :]

    def finish(self, chunks: Sequence[bytes]) -> None:
        """Take the last bytes and put the blob into its place.

        Raises DigestMismatch and StorageError.
        """
        self.write(chunks)
        self._verifier.finish()
        with storage_errors("write", self._final):
            file = self._open()
            os.fsync(file.fileno())
            Path(file.name).replace(self._final)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._file is not None:
            with storage_errors("write", self._final):
                self._file.close()
                Path(self._file.name).unlink(missing_ok=True)

    def _open(self) -> FileIO:
        if self._file is None:
            self._file = FileIO(self._member.scratch(), "x")
        return self._file


def link_blob(
    descriptor: Descriptor, *, origin: BlobFolder, folder: BlobFolder, member: Membership
) -> bool:
    """Give a blob of ``origin`` a second name in ``folder``; False where that cannot be done.

    Its size is checked; its content is, as that of every blob, whenever it is read.
    """
    path = member.scratch()
    with storage_errors("write", folder.blob(descriptor.digest)):
        try:
            path.hardlink_to(origin.blob(descriptor.digest))
        except OSError as error:
            if error.errno in _NO_LINK:
                return False
            raise
        try:
            fits = path.stat().st_size == descriptor.size
            if fits:
                path.replace(folder.blob(descriptor.digest))
        finally:
            path.unlink(missing_ok=True)  # replacing a file by itself leaves both names
    return fits
