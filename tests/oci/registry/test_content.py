# SPDX-License-Identifier: Apache-2.0
"""The content of an upload, however often it is broken off."""

from __future__ import annotations

import asyncio

import pytest

from okd_payload.oci.media_types import OCI_LAYER
from okd_payload.oci.registry.content import Content
from okd_payload.testing.images import blob_of

CONTENT = b"0123456789" * 100


class SlowSource:
    """A source whose second chunk is waited for until it is released; the first time only."""

    def __init__(self) -> None:
        self.opened: list[int] = []
        self.waiting = asyncio.Event()

    async def open(self, offset: int = 0):
        self.opened.append(offset)
        if len(self.opened) == 1:
            if self.first:
                yield self.first
            self.waiting.set()
            await asyncio.Event().wait()
        yield CONTENT[offset:]

    first = b""


@pytest.mark.parametrize("first", [b"", CONTENT[:300]])
async def test_a_reader_that_was_cut_off_is_followed_by_another(first):
    """When a connection breaks while the source is waited for, the source is opened again."""
    source = SlowSource()
    source.first = first
    content = Content(blob_of(CONTENT, OCI_LAYER), source)
    got = []

    async def send():
        async for piece in content.read(0, len(CONTENT)):
            got.append(piece)  # noqa: PERF401 - what came before the cut counts too

    sending = asyncio.create_task(send())
    await source.waiting.wait()
    sending.cancel()
    await asyncio.wait([sending])
    start = sum(map(len, got))
    assert start == len(first)
    rest = [piece async for piece in content.read(start, len(CONTENT))]
    assert b"".join([*got, *rest]) == CONTENT
    assert source.opened == [0, start]
    again = [piece async for piece in content.read(0, len(CONTENT))]
    assert b"".join(again) == CONTENT
    await content.close()
