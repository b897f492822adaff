# SPDX-License-Identifier: Apache-2.0
"""Temporary files that do not outlive their process, however it ends.

Each process has a folder of its own below one parent and holds a lock in it. The kernel gives
the lock back when the process is gone, also by SIGKILL or a power cut; whoever comes next
removes the folders whose lock is free.

``private_folder`` is such a folder wherever it is wanted, for instance beside the files that it
will become. In a ``scratch_folder`` everything works that uses ``tempfile`` while the context
lasts, and so do the programs that are run: they are killed with us, and some leave something
behind however they end. ``remove_tree`` takes away what others filled, however deep that is.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

from okd_payload.errors import StorageError

_LOCK = "lock"
_VARIABLE = "TMPDIR"


@contextlib.contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """A folder below ``parent`` for ``tempfile`` and $TMPDIR, removed at the end with all in it.

    Removes what dead processes left, too. Raises StorageError when ``parent`` cannot be used.
    """
    try:
        folder, lock = _enter(parent)
    except OSError as error:
        raise StorageError(
            f"cannot use {parent} for temporary files: {error.strerror}",
            hint="choose a folder that has room and may be written to with --state",
        ) from error
    before = tempfile.tempdir, os.environ.get(_VARIABLE)
    tempfile.tempdir = os.environ[_VARIABLE] = str(folder)
    try:
        yield folder
    finally:
        tempfile.tempdir = before[0]
        del os.environ[_VARIABLE]
        if before[1] is not None:
            os.environ[_VARIABLE] = before[1]
        _leave(folder, lock)


@contextlib.contextmanager
def private_folder(parent: Path) -> Iterator[Path]:
    """A folder below ``parent``, which goes too when nobody has a folder there any more.

    Removes what dead processes left, too. Raises OSError when ``parent`` cannot be used.
    """
    folder, lock = _enter(parent)
    try:
        yield folder
    finally:
        _leave(folder, lock)
        _remove_if_unused(parent)


def remove_tree(folder: Path) -> None:
    """Remove ``folder`` and all in it, as far as that can be done; no link is followed.

    A program that makes folders in folders gets deeper than ``shutil.rmtree`` can call itself.
    """
    try:
        shutil.rmtree(folder, ignore_errors=True)
    except RecursionError:
        _remove_deep(folder)


def _remove_deep(folder: Path) -> None:
    """Bring every folder up before it is looked into, so that no path is long."""
    folders = [folder]
    for each in folders:
        with contextlib.suppress(OSError), os.scandir(each) as entries:
            for entry in list(entries):
                if entry.is_dir(follow_symlinks=False):
                    raised = folder / uuid.uuid4().hex
                    Path(entry).rename(raised)
                    folders.append(raised)
                else:
                    Path(entry).unlink()
    for each in reversed(folders):
        with contextlib.suppress(OSError):
            each.rmdir()


def _enter(parent: Path) -> tuple[Path, int]:
    """A new locked folder, and no dead ones any more; one process at a time."""
    with _gate(parent):
        for other in parent.iterdir():
            if other.is_dir() and _is_dead(other):
                remove_tree(other)
        folder = Path(tempfile.mkdtemp(prefix="run-", dir=parent))
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
    return folder, lock


def _leave(folder: Path, lock: int) -> None:
    remove_tree(folder)
    os.close(lock)


def _remove_if_unused(parent: Path) -> None:
    with contextlib.suppress(OSError), _gate(parent):
        if [path.name for path in parent.iterdir()] == [_LOCK]:
            (parent / _LOCK).unlink()
            parent.rmdir()


@contextlib.contextmanager
def _gate(parent: Path) -> Iterator[None]:
    """Be alone at ``parent``, which is made if it is not there."""
    gate = None
    while gate is None:
        parent.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            parent.mkdir(mode=0o700)
        gate = _try_gate(parent / _LOCK)
    try:
        yield
    finally:
        os.close(gate)


def _try_gate(path: Path) -> int | None:
    """The descriptor of the lock at ``path``, held; None when it was removed meanwhile."""
    try:
        gate = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        return None
    fcntl.flock(gate, fcntl.LOCK_EX)
    with contextlib.suppress(FileNotFoundError):
        if os.path.samestat(os.fstat(gate), path.stat()):
            return gate
    os.close(gate)
    return None


def _is_dead(folder: Path) -> bool:
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True
