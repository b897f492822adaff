# SPDX-License-Identifier: Apache-2.0
"""Sources of blobs: the same content from any offset, as often as it is asked for."""

from __future__ import annotations

import asyncio
import threading

import pytest

from okd_payload.errors import StorageError
from okd_payload.oci.blob_sources import (
    CHUNK_BYTES,
    BytesSource,
    FileSource,
    RepositorySource,
    closing,
)
from okd_payload.oci.media_types import OCI_LAYER
from okd_payload.oci.threads import finish_in_thread
from okd_payload.testing.images import push_blob
from okd_payload.testing.memory_repository import MemoryRepository

CONTENT = b"0123456789" * (CHUNK_BYTES // 8)


async def _sources(tmp_path):
    repository = MemoryRepository()
    blob = await push_blob(repository, CONTENT, OCI_LAYER)
    path = tmp_path / "blob"
    path.write_bytes(CONTENT)
    return [BytesSource(CONTENT), FileSource(path), RepositorySource(repository, blob)]


@pytest.mark.parametrize("offset", [0, 1, CHUNK_BYTES, len(CONTENT) - 1, len(CONTENT)])
async def test_content_comes_from_any_offset(tmp_path, offset):
    """Every source gives the rest of its content, again and again."""
    for source in await _sources(tmp_path):
        for _ in range(2):
            assert b"".join([chunk async for chunk in source.open(offset)]) == CONTENT[offset:]


async def test_an_absent_file_is_a_storage_error(tmp_path):
    """The error names the file."""
    with pytest.raises(StorageError, match="absent"):
        await anext(FileSource(tmp_path / "absent").open())


async def test_half_read_sources_are_closed():
    """Whoever stops half-way leaves no generator open."""
    ended = []

    async def generate():
        try:
            yield b"1"
            yield b"2"
        finally:
            ended.append(True)

    async with closing(generate()) as chunks:
        assert await anext(chunks) == b"1"
    assert ended


async def test_iterators_without_an_end_to_close_pass_through():
    """Only generators are closed; other iterators are used as they are."""

    class Once:
        def __aiter__(self):
            return self

        async def __anext__(self):
            raise StopAsyncIteration

    async with closing(Once()) as chunks:
        assert [chunk async for chunk in chunks] == []


async def test_a_cancelled_caller_waits_for_its_thread():
    """Cancelling, even twice, is felt only when the thread is done with what it uses."""
    begun, leave = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()
    done = []

    def work():
        loop.call_soon_threadsafe(begun.set)
        leave.wait(5)
        done.append(True)

    task = asyncio.create_task(finish_in_thread(work))
    await begun.wait()
    for _ in range(2):
        task.cancel()
        await asyncio.wait([task], timeout=0.01)
        assert not task.done()
    leave.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done


async def test_errors_of_threads_reach_the_caller():
    """What the function raises is raised."""
    with pytest.raises(ZeroDivisionError):
        await finish_in_thread(divmod, 1, 0)
