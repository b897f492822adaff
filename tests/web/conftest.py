# SPDX-License-Identifier: Apache-2.0
"""A site over the controller's rig, and a client that asks it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

sys.path.insert(0, str(Path(__file__).parents[1] / "controller"))
sys.path.insert(0, str(Path(__file__).parent))

from own_databases import create_database
from rig import Rig

from okd_payload.controller.records import open_database
from okd_payload.testing.clock import StandingClock
from okd_payload.web.application import make_application
from okd_payload.web.site import Site


@pytest.fixture
def sqlite_records() -> str:
    """The URL of an empty database in memory."""
    return "sqlite:///:memory:"


@pytest.fixture
def postgresql_records(postgresql: str) -> Iterator[str]:
    """The URL of an empty database on a server."""
    with create_database(postgresql) as url:
        yield url


@pytest.fixture
def records(sqlite_records: str) -> str:
    """Where the records are; modules whose tests run on both databases have one of their own."""
    return sqlite_records


@pytest.fixture
async def rig(records: str, tmp_path: Path) -> AsyncIterator[Rig]:
    """A controller's surroundings in memory, with one stream."""
    made = Rig(tmp_path, open_database(records), clock=StandingClock())
    yield made
    await made.database.close()


@pytest.fixture
def site(rig: Rig) -> Site:
    """What is served of it."""
    return Site(surroundings=rig.surroundings, base_url="https://releases.test")


@pytest.fixture
async def client(site: Site) -> AsyncIterator[AsyncTestClient[Litestar]]:
    """Asks the site, in this process."""
    async with AsyncTestClient[Any](make_application(site)) as opened:
        yield opened
