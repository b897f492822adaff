# SPDX-License-Identifier: Apache-2.0
"""Locks: one at a time, and never stuck."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from okd_payload.errors import StorageError
from okd_payload.source.locking import lock_if_free, locked


async def take(path: Path) -> None:
    """Hold the lock for a moment."""
    async with locked(path):
        pass


async def test_one_at_a_time(tmp_path: Path) -> None:
    """Tasks that want the same lock alone follow one another."""
    running = most = 0

    async def work() -> None:
        nonlocal running, most
        async with locked(tmp_path / "folder" / "lock"):
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            running -= 1

    await asyncio.gather(*(work() for _ in range(5)))
    assert (running, most) == (0, 1)


async def test_readers_share(tmp_path: Path) -> None:
    """Those who share hold the lock together, and a writer waits for them."""
    order = []
    written = asyncio.Event()

    async def write() -> None:
        async with locked(tmp_path / "lock"):
            order.append("written")
            written.set()

    async with locked(tmp_path / "lock", shared=True), locked(tmp_path / "lock", shared=True):
        writer = asyncio.ensure_future(write())
        await asyncio.sleep(0.01)
        order.append("read")
    await asyncio.wait_for(writer, timeout=60)
    assert order == ["read", "written"]


async def test_giving_up_releases(tmp_path: Path) -> None:
    """Who is cancelled while waiting does not get the lock afterwards."""
    async with locked(tmp_path / "lock"):
        waiting = asyncio.ensure_future(take(tmp_path / "lock"))
        await asyncio.sleep(0.01)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    await asyncio.wait_for(take(tmp_path / "lock"), timeout=60)


async def test_a_lock_whose_folder_vanished_is_taken_anew(tmp_path: Path) -> None:
    """After the cache was emptied, waiters lock the new file and exclude each other again."""
    path = tmp_path / "cache" / "lock"
    async with locked(path):
        waiting = asyncio.ensure_future(take(path))
        await asyncio.sleep(0.01)
        shutil.rmtree(path.parent)
    await asyncio.wait_for(waiting, timeout=60)
    assert path.exists()


async def test_a_place_that_takes_no_locks_is_named(tmp_path: Path) -> None:
    """A folder that cannot be made is an error with advice."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot lock"):
        await take(tmp_path / "file" / "lock")


async def test_a_free_lock_is_had_at_once(tmp_path: Path) -> None:
    """Asking for a lock without waiting says whether it was free, and frees it again."""
    async with locked(tmp_path / "lock", shared=True):
        with lock_if_free(tmp_path / "lock") as free:
            assert not free
    with lock_if_free(tmp_path / "lock") as free:
        assert free
        with lock_if_free(tmp_path / "lock") as again:
            assert not again
    await asyncio.wait_for(take(tmp_path / "lock"), timeout=60)
