# SPDX-License-Identifier: Apache-2.0
"""Plans to be rendered, each read once."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from rendered import VARIANTS, plan_stream

from okd_payload.build.plan import Plan


@pytest.fixture(scope="session")
def planned(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Plan]:
    """Gives the plan of a stream by its name; real variants only where their data is."""
    known: dict[str, Plan] = {}

    def plan(name: str) -> Plan:
        if name not in known:
            folder = tmp_path_factory.mktemp("rendered")
            data = request.getfixturevalue("shared_data") if name in VARIANTS else folder
            # In a thread, because a test that asks may have a loop of its own.
            with ThreadPoolExecutor(1) as threads:
                planning = threads.submit(asyncio.run, plan_stream(name, data, folder))
                known[name] = planning.result()
        return known[name]

    return plan
