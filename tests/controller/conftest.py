# SPDX-License-Identifier: Apache-2.0
"""The database of the controller's tests: SQLite in memory and on disk, and PostgreSQL."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from rig import Rig

from okd_payload.controller.records import Database, open_database


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    """A controller's surroundings in memory, with one stream."""
    made = Rig(tmp_path)
    yield made
    await made.database.close()


@pytest.fixture(
    params=["memory", "disk", pytest.param("postgresql", marks=pytest.mark.integration)]
)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """An empty database, of each kind that we support."""
    if request.param == "memory":
        url = "sqlite:///:memory:"
    elif request.param == "disk":
        url = f"sqlite:///{tmp_path / 'records.db'}"
    else:
        url = request.getfixturevalue("postgresql")
    opened = open_database(url)
    await opened.write(_empty)
    yield opened
    await opened.close()


def _empty(connection: object) -> None:
    """Take out what a former test left on a server that they share."""
    from okd_payload.controller.records.tables import metadata

    for table in reversed(metadata.sorted_tables):
        if table.name != "schema_version":
            connection.execute(table.delete())  # type: ignore[attr-defined]
