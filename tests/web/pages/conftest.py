# SPDX-License-Identifier: Apache-2.0
"""A site with a past, a client that asks it, and a browser that looks at it."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

sys.path.insert(0, str(Path(__file__).parents[2] / "controller"))
sys.path.insert(0, str(Path(__file__).parent))

from own_databases import create_database
from page_server import PARTS, serve
from past import (
    BROKEN,
    BUILD_STREAM,
    EMPTY,
    HOSTILE,
    HOSTILE_RELEASE,
    MAIN,
    STABLE,
    configure,
    fill,
    write_build,
)
from rig import Rig

from okd_payload.build.records import RunFolder
from okd_payload.controller.records import open_database
from okd_payload.testing.clock import StandingClock
from okd_payload.web.application import make_application
from okd_payload.web.site import Site


class Past(msgspec.Struct, frozen=True):
    """What was written."""

    names: dict[str, list[str]]
    build: RunFolder

    def pages(self) -> dict[str, str]:
        """The paths of all pages, in all their states, by a name for each."""
        main, stable = self.names[MAIN], self.names[STABLE]
        rejected, accepted = main[-2], main[-3]
        build = f"/runs/{BUILD_STREAM}/{self.build.record.id}"
        return {
            "overview": "/",
            "stream": f"/releasestream/{MAIN}",
            "stream-filtered": f"/releasestream/{MAIN}?phase=Rejected&q=2",
            "stream-nothing-found": f"/releasestream/{MAIN}?q=nothing-like-that",
            "stream-stable": f"/releasestream/{STABLE}",
            "stream-empty": f"/releasestream/{EMPTY}",
            "stream-trouble": f"/releasestream/{BROKEN}",
            "stream-hostile": f"/releasestream/{quote(HOSTILE, safe='')}",
            "stream-unknown": "/releasestream/4.99",
            "release-open": f"/releasestream/{MAIN}/release/{main[-1]}",
            "release-rejected": f"/releasestream/{MAIN}/release/{rejected}",
            "release-accepted": f"/releasetag/{accepted}",
            "release-failed": f"/releasetag/{self.failed()}",
            "release-stable": f"/releasetag/{stable[0]}",
            "release-hostile": f"/releasetag/{quote(HOSTILE_RELEASE, safe='')}",
            "release-unknown": "/releasetag/4.99.0",
            "compare": f"/compare?from={main[0]}&to={rejected}",
            "compare-empty": "/compare",
            "compare-unknown": f"/compare?from={main[0]}&to=4.99.0",
            "component": "/component/cluster-etcd-operator",
            "component-plain": "/component/etcd",
            "search": "/search?q=etcd",
            "search-nothing": "/search?q=nothing-like-that",
            "run-open": f"/run/{main[-1]}-aws-e2e-0",
            "run-failed": f"/run/{rejected}-aws-e2e-1",
            "run-hostile": f"/run/{quote('hostile-run?x=<i>', safe='')}",
            "builds": "/runs",
            "build": build,
            "build-log": f"{build}/log/machine-config-operator",
            "build-log-open": f"{build}/log/etcd-operator",
        }

    def failed(self) -> str:
        """A release whose payload could not be made."""
        names = self.names[MAIN]
        return next(names[number] for number in range(len(names) - 3, 0, -1) if number % 11 == 7)


@pytest.fixture(scope="session")
def lived(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, list[str]]]:
    """A folder with a database and logs, filled once; and the names of its releases."""
    folder = tmp_path_factory.mktemp("lived")
    return folder, asyncio.run(_live(folder / "state", f"sqlite:///{folder / 'records.db'}"))


@pytest.fixture(scope="session")
def lived_on_postgresql(postgresql: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a database with the same past."""
    with create_database(postgresql) as url:
        asyncio.run(_live(tmp_path_factory.mktemp("lived") / "state", url))
        yield url


async def _live(state: Path, url: str) -> dict[str, list[str]]:
    made = Rig(state, open_database(url))
    names = await fill(made)
    await made.database.close()
    return names


@pytest.fixture
def sqlite_records(tmp_path: Path) -> str:
    """The URL of the test's copy of what was lived."""
    return f"sqlite:///{tmp_path / 'records.db'}"


@pytest.fixture
def postgresql_records(postgresql: str, lived_on_postgresql: str) -> Iterator[str]:
    """The URL of a copy on the server."""
    with create_database(postgresql, template=lived_on_postgresql) as url:
        yield url


@pytest.fixture
async def rig(
    lived: tuple[Path, dict[str, list[str]]], records: str, tmp_path: Path
) -> AsyncIterator[Rig]:
    """A rig of the test's own with that past."""
    shutil.copytree(lived[0], tmp_path, dirs_exist_ok=True)
    made = Rig(tmp_path / "state", open_database(records), clock=StandingClock())
    configure(made)
    yield made
    await made.database.close()


@pytest.fixture
def past(rig: Rig, lived: tuple[Path, dict[str, list[str]]], tmp_path: Path) -> Past:
    """What the rig was filled with, and a run of a build."""
    build = write_build(tmp_path / "streams", moment=rig.clock.now() - 300)
    return Past(lived[1], build)


@pytest.fixture
def site(rig, tmp_path: Path) -> Site:
    """What is served of it."""
    return Site(
        surroundings=rig.surroundings,
        base_url="https://releases.test",
        builds=tmp_path / "streams",
    )


@pytest.fixture
async def client(site: Site) -> AsyncIterator[AsyncTestClient[Litestar]]:
    """Asks the site, in this process."""
    async with AsyncTestClient[Any](make_application(site, parts=PARTS)) as opened:
        yield opened


@pytest.fixture
async def address(site: Site, past: Past) -> AsyncIterator[str]:
    """Where the site is answered, for browsers."""
    async with serve(msgspec.structs.replace(site, base_url="")) as opened:
        yield opened
