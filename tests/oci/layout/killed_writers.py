# SPDX-License-Identifier: Apache-2.0
"""Kills writers of one layout again and again, and checks after each time that nothing is broken.

    python killed_writers.py FOLDER ROUNDS SEED

A program of its own, because it forks: that way a round costs milliseconds and begins writing at
once. It ends with an assertion error when a promise of the layout does not hold.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import time
from pathlib import Path

from okd_payload.oci.layout import LayoutRepository
from okd_payload.testing.images import push_image

WRITERS = 2
TAGS = 8
SIZES = (10, 5_000, 300_000)


async def write_forever(folder: Path, chance: random.Random) -> None:
    """Tag images of random layers, move tags, mount from another layout, collect garbage."""
    layout = LayoutRepository(folder)
    other = LayoutRepository(folder.parent / "other")
    while True:
        layers = [chance.randbytes(chance.choice(SIZES)), b"shared by all" * 1000]
        tag = f"tag-{chance.randrange(TAGS)}"
        action = chance.randrange(6)
        if action == 0:
            image = await push_image(other, layers=layers)
            for blob in image.image().blobs:
                assert await layout.blobs.mount(blob, other)
            await layout.manifests.put(image, tag=tag)
        elif action == 1:
            image = await push_image(layout, layers=layers)
            await push_image(layout, layers=[b"s"], subject=image.descriptor)
            await layout.manifests.put(image, tag=tag)
        elif action == 2:
            await layout.collect_garbage()
        else:
            await push_image(layout, layers=layers, tag=tag)


async def check(folder: Path) -> None:
    """Every tag leads to an image that is whole, and the next writer cleans up."""
    await check_tags(LayoutRepository(folder))
    layout = LayoutRepository(folder)
    await push_image(layout, tag="after")
    writers = [path for path in (folder / ".writers").iterdir() if path.is_dir()]
    assert [[file.name for file in writer.iterdir()] for writer in writers] == [["lease"]], writers
    await layout.collect_garbage()
    await check_tags(layout)


async def check_tags(layout: LayoutRepository) -> None:
    """Read everything that a tag leads to, verified on the way."""
    for tag in await layout.manifests.tags():
        for blob in (await layout.manifests.get(tag)).image().blobs:
            assert sum([len(chunk) async for chunk in layout.blobs.read(blob)]) == blob.size


def start_writer(folder: Path, seed: int) -> int:
    """The process id of a new writer."""
    process = os.fork()
    if process == 0:
        try:
            asyncio.run(write_forever(folder, random.Random(seed)))
        finally:
            os._exit(1)
    return process


def main(folder: Path, rounds: int, seed: int) -> None:
    """Kill as often as asked."""
    chance = random.Random(seed)
    for number in range(rounds):
        writers = [start_writer(folder, seed + number * WRITERS + i) for i in range(WRITERS)]
        time.sleep(chance.uniform(0.005, 0.1))
        for writer in writers:
            os.kill(writer, signal.SIGKILL)
        for writer in writers:
            _, status = os.waitpid(writer, 0)
            assert os.WIFSIGNALED(status), "a writer ended by itself"
        asyncio.run(check(folder))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
