# SPDX-License-Identifier: Apache-2.0
"""A site over the controller's rig, and a client that asks it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

sys.path.insert(0, str(Path(__file__).parents[1] / "controller"))
sys.path.insert(0, str(Path(__file__).parent))

from rig import Rig

from okd_payload.testing.clock import StandingClock
from okd_payload.web.application import make_application
from okd_payload.web.site import Site


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    """A controller's surroundings in memory, with one stream."""
    made = Rig(tmp_path, clock=StandingClock())
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
