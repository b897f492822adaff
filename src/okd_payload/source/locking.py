# SPDX-License-Identifier: Apache-2.0
"""One at a time, among tasks and among processes.

A lock is an ``flock`` on a file: the kernel gives it back when its last holder is gone. Its
descriptor may be handed to programs (``process.run(held=...)``), so that the lock outlives us
as long as one of them still works under it. Lock files stay; the cache around them may vanish.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from okd_payload.oci.layout.files import storage_errors


@contextlib.asynccontextmanager
async def locked(path: Path, *, shared: bool = False) -> AsyncIterator[int]:
    """Hold the lock at ``path``, alone or with other ``shared`` holders; its descriptor."""
    operation = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    descriptor = await _acquire(path, operation)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def lock_if_free(path: Path) -> Iterator[bool]:
    """Whether the lock at ``path`` could be had alone at once, and then it is held."""
    descriptor = _open(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(descriptor)


async def _acquire(path: Path, operation: int) -> int:
    while True:
        descriptor = _open(path)
        try:
            await _wait(descriptor, operation)
            if _is_still_at(path, descriptor):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # somebody emptied the cache while we waited


def _open(path: Path) -> int:
    with storage_errors("lock", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)


def _is_still_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


async def _wait(descriptor: int, operation: int) -> None:
    """Lock ``descriptor``, without blocking the event loop or a pool that others need.

    The thread owns a duplicate, which is the same lock. When we are cancelled, it closes that as
    soon as it has the lock, and nothing stays locked.
    """
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
        return
    loop = asyncio.get_running_loop()
    acquired = loop.create_future()
    duplicate = os.dup(descriptor)

    def tell() -> None:
        if not acquired.done():
            acquired.set_result(None)

    def acquire() -> None:
        try:
            fcntl.flock(duplicate, operation)
        finally:
            os.close(duplicate)
        with contextlib.suppress(RuntimeError):  # the loop may have been closed meanwhile
            loop.call_soon_threadsafe(tell)

    threading.Thread(target=acquire, name=f"lock {descriptor}", daemon=True).start()
    await acquired
