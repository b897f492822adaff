# SPDX-License-Identifier: Apache-2.0
"""File operations that a layout is built of: locks, durable writes, errors with advice.

Locks are ``flock``s, because the kernel gives them back when their holder is killed. A lock file
is never removed: whoever waits for it would hold a lock on nothing.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from okd_payload.errors import StorageError

_HINTS = {
    errno.ENOSPC: "free some space there and run the same command again",
    errno.EDQUOT: "the quota is used up: free some space and run the same command again",
    errno.EROFS: "the file system is read only: choose another folder",
    errno.EACCES: "check who owns the folder, or choose another one",
    errno.EPERM: "check who owns the folder, or choose another one",
    errno.ENOTDIR: "a file stands where a folder is needed: choose another folder",
    errno.EMFILE: "too many files are open: raise `ulimit -n` or run fewer jobs at once",
    errno.ENOLCK: "the file system has no locks: choose a folder on a local disk",
    errno.EIO: "the disk fails: look at the system's log",
}


@contextlib.contextmanager
def storage_errors(doing: str, path: Path) -> Iterator[None]:
    """Turn what the system says about ``path`` into a StorageError with advice."""
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"cannot {doing} {path}: {error.strerror or error}",
            hint=_HINTS.get(error.errno or 0, "see what is wrong with that folder"),
        ) from error


@contextlib.contextmanager
def locked(path: Path, *, shared: bool = False) -> Iterator[None]:
    """Hold the lock file ``path``, alone unless ``shared``, waiting for it if need be."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield
    finally:
        # Closing alone would leave the lock with a child that is just being started.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def try_lock(descriptor: int) -> bool:
    """Take the lock of an open file for as long as it stays open; False when it is held."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def write_durably(path: Path, content: bytes) -> None:
    """Create ``path`` with ``content``, on the disk when this returns; never half of it."""
    try:
        with path.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink(missing_ok=True)
        raise


def settle(directory: Path) -> None:
    """Return when the names in ``directory`` are on the disk."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
