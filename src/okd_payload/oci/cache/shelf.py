# SPDX-License-Identifier: Apache-2.0
"""Files by digest on a disk, of which any may vanish or rot at any time.

One file holds one thing, sealed with the hash of its bytes, and gets its name when it is whole:
so any number of processes may write at once, a kill leaves at most a temporary file, and a
damaged file is known for one. One file for all of a release and a database were measured, and
lost: see the decision record. Files are small and local, so they are read where they are wanted
rather than in a thread, which would take longer than the reading.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from okd_payload.clock import Clock

MAX_BYTES = 512 * 1024 * 1024
"""What all shelves of a machine hold together: some fifty releases and their predecessors."""

_SEAL_BYTES = hashlib.sha256().digest_size
_TEMPORARY = "."
_DAY = 86400.0
_PRUNED = "pruned"
_numbers = itertools.count(1)


class CacheReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was removed from the shelves."""

    removed: int = 0
    removed_bytes: int = 0


class Shelf:
    """The things of one kind, by a key of hexadecimal digits."""

    def __init__(self, folder: Path, *, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._is_made = False
        self.writes = True
        """Whether storing is tried; not any more once the disk refused it."""

    def get(self, key: str) -> bytes | None:
        """The content under ``key``; None when there is none or it is damaged."""
        path = self._folder / key
        try:
            with path.open("rb", buffering=0) as file:
                sealed = file.read()
                self._note_use(file.fileno())
        except OSError:
            return None
        content = sealed[_SEAL_BYTES:]
        if hashlib.sha256(content).digest() != sealed[:_SEAL_BYTES]:
            _remove(path)
            return None
        return content

    def put(self, key: str, content: bytes) -> None:
        """Keep ``content`` under ``key``, if the disk lets us."""
        if not self.writes:
            return
        temporary = self._folder / f"{_TEMPORARY}{key}.{os.getpid()}-{next(_numbers)}"
        try:
            if not self._is_made:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._is_made = True
            _write(temporary, hashlib.sha256(content).digest() + content)
            temporary.replace(self._folder / key)
        except OSError:
            self.writes = False
            _remove(temporary)

    def _note_use(self, file: int) -> None:
        """Let the age of a file be the time since it was used, to the day."""
        now = self._clock.now()
        if now - os.fstat(file).st_mtime > _DAY:
            os.utime(file, (now, now))


class Shelves:
    """All kinds of things in one folder; nothing of it needs to exist yet."""

    def __init__(self, folder: Path, *, clock: Clock, max_bytes: int = MAX_BYTES) -> None:
        self._folder = folder
        self._clock = clock
        self._max_bytes = max_bytes
        self.manifests = Shelf(folder / "manifests", clock=clock)
        self.blobs = Shelf(folder / "blobs", clock=clock)
        self.layer_folders = Shelf(folder / "layer-folders", clock=clock)
        self.checks = Shelf(folder / "checks", clock=clock)
        """What checks found, by what was checked and the rules."""

    def prune(self) -> CacheReport:
        """Remove what was not used for longest until the rest fits; what kills left, too."""
        removed = removed_bytes = kept = 0
        for age, size, path in sorted(self._files()):
            left_by_kill = path.name.startswith(_TEMPORARY) and age > _DAY
            if left_by_kill or kept + size > self._max_bytes:
                _remove(path)
                removed, removed_bytes = removed + 1, removed_bytes + size
            else:
                kept += size
        return CacheReport(removed=removed, removed_bytes=removed_bytes)

    def prune_sometimes(self) -> None:
        """The same, once a day by whichever process comes first."""
        stamp = self._folder / _PRUNED
        with contextlib.suppress(OSError):
            if not stamp.exists() or self._clock.now() - stamp.stat().st_mtime > _DAY:
                stamp.touch(mode=0o600)
                self.prune()

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        """Age, size and path of every file, as far as they can be seen."""
        for path in self._folder.glob("*/*"):
            with contextlib.suppress(OSError):
                found = path.stat()
                yield self._clock.now() - found.st_mtime, found.st_size, path


def _write(path: Path, content: bytes) -> None:
    with path.open("xb", buffering=0) as file:
        if file.write(content) != len(content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
