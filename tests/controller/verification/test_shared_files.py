# SPDX-License-Identifier: Apache-2.0
"""What one instance has on its disk of a run, another one shows, byte for byte."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rig import Rig

from okd_payload.controller.model import Phase, Release, RunState, VerificationRun
from okd_payload.controller.records import Database, releases, run_pieces, runs
from okd_payload.controller.surroundings import Surroundings
from okd_payload.controller.verification.shared_files import (
    FileSharing,
    fetch_files,
    fetching,
    share_files,
    sharing,
)
from okd_payload.controller.verification.shared_files.pieces import PIECE_BYTES, RunFile

RUN = VerificationRun(
    id="r-check",
    release="r",
    verification="check",
    runner="command",
    queued=0.0,
    log="runs/r-check/log",
    artifacts=("runs/r-check/artifacts/junit.xml",),
    state=RunState.SUCCEEDED,
)
NAMES = (RUN.log, *RUN.artifacts)


class Writes:
    """Writes units, and counts them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.count = 0

    async def __call__(self, unit: Any) -> None:
        """Write one."""
        self.count += 1
        await self._database.write(unit)


@pytest.fixture
async def there(database: Database, tmp_path: Path) -> Surroundings:
    """Another instance: the same database, a disk of its own."""
    release = Release(
        name="r", stream="s", input_hash="h", phase=Phase.READY, created=0.0, changed=0.0
    )

    def unit(connection: Any) -> None:
        releases.create(connection, release, ())
        runs.write(connection, RUN, time=0.0)

    await database.write(unit)
    return Rig(tmp_path / "there", database).surroundings


def leave(folder: Path, **files: bytes) -> list[RunFile]:
    """Files of the run on the disk of this instance."""
    made = []
    for name, content in files.items():
        path = folder / {"junit": "artifacts/junit.xml"}.get(name, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        made.append(RunFile(RUN.id, path.relative_to(folder).as_posix(), path))
    return made


async def share(database: Database, files: Iterable[RunFile]) -> tuple[bool, int]:
    """Whether all could be shared, and how many units of work that took."""
    write = Writes(database)
    return await share_files(database, write, files), write.count


@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES, PIECE_BYTES + 1, 18 * PIECE_BYTES + 7])
async def test_another_instance_reads_the_same_bytes(
    database: Database, there: Surroundings, tmp_path: Path, size: int
) -> None:
    """A log of any length, and the results beside it."""
    log = random.Random(size).randbytes(size)
    assert (await share(database, leave(tmp_path, log=log, junit=b"<testsuite/>")))[0]
    folder = await fetch_files(there, RUN, NAMES)
    assert (folder / RUN.log).read_bytes() == log
    assert (folder / RUN.artifacts[0]).read_bytes() == b"<testsuite/>"


async def test_a_log_that_grows_is_followed(
    database: Database, there: Surroundings, tmp_path: Path
) -> None:
    """Only its end is written again; one that is written anew and shorter loses its old end."""
    log = random.Random(1).randbytes(20 * PIECE_BYTES)
    assert await share(database, leave(tmp_path, log=log)) == (True, 2)
    assert await share(database, leave(tmp_path, log=log)) == (True, 0)
    await fetch_files(there, RUN, NAMES)
    for grown in (log + b"more", log + b"more and more", b"begun again on another machine"):
        assert (await share(database, leave(tmp_path, log=grown)))[1] <= 2
        folder = await fetch_files(there, RUN, NAMES)
        assert (folder / RUN.log).read_bytes() == grown


async def test_what_is_too_large_stays_where_it_is(
    database: Database, there: Surroundings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log comes first, and what finds no room after it is not promised to be there."""
    monkeypatch.setattr(sharing, "MOST_BYTES", 100)
    assert await share(database, leave(tmp_path, log=b"l" * 60, junit=b"j" * 41)) == (False, 1)
    folder = await fetch_files(there, RUN, NAMES)
    assert (folder / RUN.log).read_bytes() == b"l" * 60
    assert not (folder / RUN.artifacts[0]).exists()


async def test_only_what_is_asked_for_is_copied(
    database: Database, there: Surroundings, tmp_path: Path
) -> None:
    """Whoever reads a log waits for no artifacts."""
    await share(database, leave(tmp_path, log=b"log", junit=b"results"))
    folder = await fetch_files(there, RUN, (RUN.log,))
    assert [path.name for path in folder.rglob("*") if path.is_file()] == ["log"]


async def test_copies_are_bounded(
    database: Database, there: Surroundings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that nobody looked at for longest go, and come back when somebody asks."""
    monkeypatch.setattr(fetching, "MOST_BYTES", 5)
    other = msgspec.structs.replace(RUN, id="r-other", log="runs/r-other/log", artifacts=())
    await database.write(lambda unit: runs.write(unit, other, time=0.0))
    await share(database, leave(tmp_path, log=b"first"))
    await share(database, [RunFile("r-other", "log", tmp_path / "log")])
    folder = await fetch_files(there, RUN, NAMES)
    await fetch_files(there, other, (other.log,))
    assert not (folder / RUN.log).exists()
    assert (folder / other.log).exists()
    await fetch_files(there, RUN, NAMES)
    assert (folder / RUN.log).read_bytes() == b"first"


async def test_they_go_with_their_release(
    database: Database, there: Surroundings, tmp_path: Path
) -> None:
    """Nothing of a deleted release is left in the database; then its own folder is looked at."""
    await share(database, leave(tmp_path, log=b"log"))
    await database.write(lambda unit: releases.remove(unit, "r"))
    assert await database.read(lambda unit: run_pieces.list_of(unit, RUN.id)) == []
    assert await fetch_files(there, RUN, NAMES) == there.state


@pytest.mark.integration
async def test_the_disk_of_an_instance_does_not_fill(postgresql: str, tmp_path: Path) -> None:
    """Where all instances find everything, the folder of the run that ended goes."""
    from okd_payload.controller.records import open_database

    database = open_database(postgresql)
    release = Release(
        name="full", stream="s", input_hash="f", phase=Phase.READY, created=0.0, changed=0.0
    )
    run = msgspec.structs.replace(RUN, id="full-check", release="full")
    await database.write(lambda unit: releases.create(unit, release, ()))
    await database.write(lambda unit: runs.write(unit, run, time=0.0))
    leave(tmp_path / "run", log=b"log")
    shared = FileSharing(database, database.write)
    assert await shared.share(tmp_path / "run", run.id, ["log"])
    await shared.let_go(tmp_path / "run", run.id)
    assert not (tmp_path / "run").exists()
    await database.write(lambda unit: releases.remove(unit, "full"))
    await database.close()


async def test_nothing_is_copied_where_there_is_one_instance(rig: Rig, tmp_path: Path) -> None:
    """SQLite and the folders of runs are on one disk already."""
    leave(tmp_path, log=b"log")
    shared = FileSharing(rig.database, rig.database.write)
    assert not await shared.share(tmp_path, RUN.id, ["log"])
