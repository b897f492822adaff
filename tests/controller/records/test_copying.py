# SPDX-License-Identifier: Apache-2.0
"""Dry runs work on a copy of the records, whatever the database; the original stays as it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import update

from okd_payload.controller.model import Phase, Release
from okd_payload.controller.records import Database, open_database, releases, schedules
from okd_payload.controller.records import leases as lease_records
from okd_payload.controller.records.copying import copy_records
from okd_payload.controller.records.database import open_existing
from okd_payload.controller.records.schedules import ScheduleRun, ScheduleState
from okd_payload.controller.records.tables import leases, schema
from okd_payload.errors import InputError, RecordsError

RELEASE = Release(name="4.20.0-0.a", stream="s", created=1.0, changed=1.0, input_hash="h")
RUN = ScheduleRun(stream="s", schedule="nightly", since=5.0, state=ScheduleState.RUNNING)


def files(folder: Path) -> dict[str, bytes]:
    """What is on the disk, but for what SQLite shares in memory."""
    return {each.name: each.read_bytes() for each in folder.iterdir() if "-shm" not in each.name}


async def fill(database: Database) -> None:
    """A release, a schedule that runs, and somebody who acts."""

    def unit(connection) -> None:
        releases.create(connection, RELEASE, ())
        releases.move(connection, RELEASE, Phase.READY, time=2.0)
        schedules.write(connection, RUN, time=3.0)
        lease_records.take(connection, "controller", holder="x", seconds=15, now=1.0)

    await database.write(unit)


async def test_a_copy_has_what_passes_decide_from(database: Database) -> None:
    """Releases in their phases and what schedules do, but nobody's lease."""
    await fill(database)
    copy = await copy_records(database)
    for each in (database, copy):
        (found,) = await each.read(releases.list_of)
        assert (found.name, found.phase) == (RELEASE.name, Phase.READY)
        assert await each.read(schedules.list_of) == [RUN]
    assert await copy.read(lambda unit: unit.execute(leases.select()).all()) == []
    await copy.write(lambda unit: releases.remove(unit, RELEASE.name))
    assert len(await database.read(releases.list_of)) == 1
    await copy.close()


async def test_where_there_are_no_records_a_copy_is_empty(tmp_path: Path) -> None:
    """And none are made."""
    assert open_existing(f"sqlite:///{tmp_path / 'none' / 'records.db'}") is None
    copy = await copy_records(None)
    assert await copy.read(releases.list_of) == []
    await copy.close()
    assert files(tmp_path) == {}


async def test_a_database_is_looked_at_without_a_trace(tmp_path: Path) -> None:
    """Also beside somebody who writes, and after somebody who was killed while writing."""
    path = tmp_path / "records.db"
    writer = open_database(f"sqlite:///{path}")
    await fill(writer)
    before = files(tmp_path)
    assert before["records.db-wal"]
    reader = open_existing(f"sqlite:///{path}")
    assert reader is not None
    assert len(await reader.read(releases.list_of)) == 1
    with pytest.raises(RecordsError):
        await reader.write(lambda unit: releases.remove(unit, RELEASE.name))
    await reader.close()
    assert files(tmp_path) == before
    await writer.close()
    whole = files(tmp_path)
    assert set(whole) == {"records.db"}
    again = open_existing(f"sqlite:///{path}")
    assert again is not None
    assert len(await again.read(releases.list_of)) == 1
    await again.close()
    assert files(tmp_path) == whole


async def test_records_of_a_newer_program_are_refused(tmp_path: Path) -> None:
    """A dry run over tables that it does not know would tell nonsense."""
    url = f"sqlite:///{tmp_path / 'records.db'}"
    newer = open_database(url)
    await newer.write(lambda unit: unit.execute(update(schema).values(version=99)))
    await newer.close()
    with pytest.raises(RecordsError, match="99"):
        open_existing(url)
    with pytest.raises(InputError):
        open_existing("nonsense")
