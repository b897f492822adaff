# SPDX-License-Identifier: Apache-2.0
"""What is on a shelf is whole or absent, whoever writes, kills, damages or deletes."""

from __future__ import annotations

import os
import random
import resource
import signal
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.oci.cache import Shelf, Shelves
from okd_payload.testing.clock import ManualClock

KEY = "ab" + "c" * 62
DAY = 86400.0


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_content_is_found_again_by_everybody(shelves, folder, clock) -> None:
    """What one process keeps the next one finds, however large or empty it is."""
    for key, content in ((KEY, b"content"), ("cd" + KEY[2:], b""), ("ef" + KEY[2:], b"x" * 10**6)):
        shelves.blobs.put(key, content)
        assert Shelves(folder, clock=clock).blobs.get(key) == content
    assert shelves.manifests.get(KEY) is None


@given(st.binary(max_size=40), st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_whatever_bit_rots_is_noticed(tmp_path_factory, content, place, change) -> None:
    """A changed byte, wherever it is, makes content absent, and the next writer mends it."""
    folder = tmp_path_factory.mktemp("cache")
    shelf = Shelf(folder, clock=ManualClock())
    shelf.put(KEY, content)
    file = _files(folder)[0]
    sealed = bytearray(file.read_bytes())
    sealed[place % len(sealed)] ^= change
    file.write_bytes(sealed)

    assert shelf.get(KEY) is None
    shelf.put(KEY, content)
    assert shelf.get(KEY) == content


@pytest.mark.parametrize("left", [0, 10, 32, 38])
def test_what_was_cut_off_is_absent(shelves, folder, left) -> None:
    """A file that a full disk or a crash cut short is no content."""
    shelves.blobs.put(KEY, b"content")
    file = _files(folder)[0]
    file.write_bytes(file.read_bytes()[:left])

    assert shelves.blobs.get(KEY) is None


def test_the_folder_may_be_deleted_while_it_is_used(shelves, folder) -> None:
    """Deleting the cache under a running process costs that process nothing but the cache."""
    shelves.blobs.put(KEY, b"content")
    for file in _files(folder):
        file.unlink()
    (folder / "blobs").rmdir()

    assert shelves.blobs.get(KEY) is None
    shelves.blobs.put(KEY, b"content")
    assert shelves.blobs.get(KEY) is None


def test_without_a_folder_nothing_is_kept_and_nothing_fails(tmp_path, clock) -> None:
    """Where no folder can be made a cache is of no use, and does no harm."""
    (tmp_path / "content").write_bytes(b"")
    shelf = Shelf(tmp_path / "content", clock=clock)

    shelf.put(KEY, b"content")

    assert shelf.get(KEY) is None
    assert not shelf.writes


@pytest.mark.parametrize("room", [0, 10, 38])
def test_without_room_nothing_is_kept_and_nothing_fails(tmp_path, clock, room) -> None:
    """A disk that takes a part, or nothing, is asked once, and nothing half-written is left."""
    shelf = Shelf(tmp_path / "content", clock=clock)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        shelf.put(KEY, b"content")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert shelf.get(KEY) is None
    assert not shelf.writes
    assert _files(tmp_path) == []


def test_the_oldest_goes_first_when_there_is_too_much(folder) -> None:
    """Pruning keeps what was used last, as far as it fits, and says what it removed."""
    clock = ManualClock(time.time())
    shelves = Shelves(folder, clock=clock, max_bytes=3 * 132)
    keys = [f"{number:02x}" + KEY[2:] for number in range(5)]
    for age, key in enumerate(keys):
        shelves.blobs.put(key, b"x" * 100)
        moment = clock.now() - (5 - age) * DAY
        os.utime(folder / "blobs" / key, (moment, moment))
    assert shelves.blobs.get(keys[0])

    report = shelves.prune()

    assert (report.removed, report.removed_bytes) == (2, 264)
    assert [key for key in keys if shelves.blobs.get(key)] == [keys[0], keys[3], keys[4]]


def test_what_kills_left_goes_too_when_it_is_old(folder) -> None:
    """A temporary file of today may be somebody's; one of the day before yesterday is rubbish."""
    clock = ManualClock(time.time())
    shelves = Shelves(folder, clock=clock)
    shelves.blobs.put(KEY, b"content")
    young, old = (folder / "blobs" / f".{name}" for name in ("young", "old"))
    young.write_bytes(b"")
    old.write_bytes(b"half")
    os.utime(old, (clock.now() - 2 * DAY, clock.now() - 2 * DAY))

    assert shelves.prune().removed == 1
    assert young.exists()
    assert not old.exists()
    assert shelves.blobs.get(KEY) == b"content"


def test_once_a_day_is_often_enough(folder) -> None:
    """Of all processes of a day the first one prunes, and none where there is no cache."""
    clock = ManualClock(time.time())
    shelves = Shelves(folder, clock=clock, max_bytes=0)
    shelves.prune_sometimes()
    assert not folder.exists()
    shelves.blobs.put(KEY, b"content")
    shelves.prune_sometimes()
    assert shelves.blobs.get(KEY) is None

    shelves.blobs.put(KEY, b"content")
    shelves.prune_sometimes()
    assert shelves.blobs.get(KEY) == b"content"
    clock.advance(1.5 * DAY)
    shelves.prune_sometimes()
    assert shelves.blobs.get(KEY) is None


@pytest.mark.skipif(sys.platform != "linux", reason="forks and kills")
def test_two_writers_killed_at_any_moment_leave_whole_things(folder, clock) -> None:
    """After each kill every key has its content or none, and the next process goes on."""
    keys = [f"{number:02x}" + KEY[2:] for number in range(8)]
    chance = random.Random(7)
    for _ in range(40):
        writers = [_fork_writer(folder, keys) for _ in range(2)]
        time.sleep(chance.uniform(0.0, 0.004))
        for writer in writers:
            os.kill(writer, signal.SIGKILL)
            os.waitpid(writer, 0)
        shelf = Shelf(folder, clock=clock)
        for key in keys:
            assert shelf.get(key) in (None, key.encode() * 2000)
    shelf.put(keys[0], b"new")
    assert shelf.get(keys[0]) == b"new"


def _fork_writer(folder: Path, keys: list[str]) -> int:
    """A process that writes all keys again and again until it is killed."""
    child = os.fork()
    if child:
        return child
    shelf = Shelf(folder, clock=ManualClock())
    while True:
        for key in keys:
            shelf.put(key, key.encode() * 2000)
