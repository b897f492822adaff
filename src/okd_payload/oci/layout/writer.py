# SPDX-License-Identifier: Apache-2.0
"""A live writer of a layout: its folder for half-written files, and its lease.

Each writer has a folder of its own below ``.writers``. The file ``lease`` in it is locked for as
long as the writer lives, so the kernel says who is dead: whoever comes next removes the folders
of the dead, half-written files and all. No age and no process id is guessed at.

The lease also lists, one a line, what the writer has stored or was told is there: blobs that no
tag leads to yet. Garbage collection spares them until the writer leaves. A digest is added before
the blob is looked for or stored, under the shared content lock that collection holds alone.
"""

from __future__ import annotations

import itertools
import os
import secrets
import shutil
import threading
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path

from okd_payload.oci.digest import Digest, is_digest
from okd_payload.oci.layout.files import locked, settle, storage_errors, try_lock, write_durably
from okd_payload.oci.layout.folder import BlobFolder

_LEASE = "lease"


class Writer:
    """Becomes a member of those who write a layout when it is first asked to, and stays one."""

    def __init__(self, folder: BlobFolder) -> None:
        self._folder = folder
        self._entering = threading.Lock()
        self._membership: Membership | None = None

    def enter(self) -> Membership:
        """The membership; makes the layout where there is none. Raises StorageError.

        Takes the content lock: whoever holds it already must have entered before.
        """
        with self._entering:
            if self._membership is None:
                self._membership = self._become_member()
            return self._membership

    def protects(self, digest: Digest) -> bool:
        """Whether ``digest`` is protected already."""
        return self._membership is not None and digest in self._membership.protected

    def leave(self) -> None:
        """Give the lease back and remove what is half-written."""
        with self._entering:
            if self._membership is not None:
                self._membership.end()
                self._membership = None

    def _become_member(self) -> Membership:
        self._folder.make()
        with (
            storage_errors("write to", self._folder.root),
            locked(self._folder.content_lock),
        ):
            remove_dead_writers(self._folder)
            membership = Membership(self._folder)
            for path, content in self._folder.first_files.items():
                if not path.exists():
                    membership.replace(path, content)
            return membership


class Membership:
    """The writer's folder and lease, from entering to leaving or to the end of the process."""

    def __init__(self, folder: BlobFolder) -> None:
        self._content_lock = folder.content_lock
        self._path = folder.writers / f"{os.getpid()}-{secrets.token_hex(8)}"
        self._names = itertools.count()
        self._path.mkdir()
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self._lease = os.open(self._path / _LEASE, flags, 0o666)
        try_lock(self._lease)
        self.protected: set[Digest] = set()
        self.end = weakref.finalize(self, _leave, self._path, self._lease, os.getpid())

    def scratch(self) -> Path:
        """A new name in the writer's own folder, on the file system of the blobs."""
        return self._path / str(next(self._names))

    def replace(self, path: Path, content: bytes) -> None:
        """Give the file ``path`` new content in one step; it is on the disk afterwards."""
        scratch = self.scratch()
        write_durably(scratch, content)
        scratch.replace(path)
        settle(path.parent)

    def protect(self, digests: Iterable[Digest]) -> None:
        """Keep garbage collection from removing these. Raises StorageError."""
        fresh = [digest for digest in digests if digest not in self.protected]
        if not fresh:
            return
        content = "".join(f"{digest}\n" for digest in fresh).encode()
        with storage_errors("write to", self._path), locked(self._content_lock, shared=True):
            while content:
                content = content[os.write(self._lease, content) :]
        self.protected.update(fresh)


def remove_dead_writers(folder: BlobFolder) -> None:
    """Remove the folders of writers that were killed; needs the content lock, alone."""
    for path, lease in _leases(folder):
        if lease is None or try_lock(lease):
            shutil.rmtree(path, ignore_errors=True)


def leased_digests(folder: BlobFolder) -> set[Digest]:
    """What live writers protect; needs the content lock, alone."""
    found: set[Digest] = set()
    for _, lease in _leases(folder):
        if lease is not None and not try_lock(lease):
            # Not by its path: the writer may leave, and remove the file, at any time.
            with open(lease, encoding="ascii", errors="replace", closefd=False) as lines:
                found.update(Digest(line) for line in lines.read().split() if is_digest(line))
    return found


def _leases(folder: BlobFolder) -> Iterator[tuple[Path, int | None]]:
    """The folder of every writer, with its open lease; None where it died before making one."""
    for path in sorted(folder.writers.iterdir()):
        if not path.is_dir():
            continue
        try:
            lease = os.open(path / _LEASE, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            yield path, None
            continue
        try:
            yield path, lease
        finally:
            os.close(lease)


def _leave(path: Path, lease: int, process: int) -> None:
    """End a membership; a fork that inherited it must leave the original's alone."""
    if os.getpid() == process:
        shutil.rmtree(path, ignore_errors=True)
    os.close(lease)
