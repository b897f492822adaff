# SPDX-License-Identifier: Apache-2.0
"""Every recorded answer of the old controller is ours too, or differs on purpose.

Of pages for people status and type are compared: ours are others. The recording ``live`` has a
test of its own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from comparing import Comparison
from differences import KINDS
from litestar.testing import AsyncTestClient
from recorded_answers import ARTIFACTS, RecordedHistory, TakenOver, read_cases
from rig import Rig

from okd_payload.web.access.settings import SiteSettings
from okd_payload.web.application import make_application
from okd_payload.web.site import Site

INSTANCES = ("main", "candidate", "empty", "arm64", "multi", "no-artifacts", "odd-tag")
DOCUMENT = Path(__file__).parents[3] / "docs/reference/old-interface.md"

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def recordings(shared_data: Path) -> Path:
    """The folder of recordings."""
    return shared_data / "release-controller-recordings"


@pytest.fixture(scope="module")
def history(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> RecordedHistory:
    """The repositories of components, as they were recorded."""
    return RecordedHistory(recordings, tmp_path_factory.mktemp("git"))


@pytest.fixture
async def compare(
    request: pytest.FixtureRequest, recordings: Path, history: RecordedHistory, tmp_path: Path
) -> AsyncIterator[Comparison]:
    """An instance of ours in the recorded state."""
    instance = request.param
    rig = Rig(tmp_path)
    state = TakenOver(recordings, rig, instance)
    await state.load()
    site = Site(
        surroundings=rig.surroundings,
        settings=SiteSettings(artifacts="" if instance == "no-artifacts" else ARTIFACTS),
        architecture=instance if instance in {"arm64", "multi"} else "amd64",
        history=history,
    )
    async with AsyncTestClient[Any](make_application(site)) as client:
        yield Comparison(client, restore=state.restore)
    await rig.database.close()


TALLY: Counter[str] = Counter()
EXPLAINED: set[str] = set()


@pytest.mark.parametrize(
    ("compare", "instance"), [(each, each) for each in INSTANCES], indirect=["compare"]
)
async def test_answers_are_the_recorded_ones(
    compare: Comparison, recordings: Path, instance: str
) -> None:
    """Field by field; where not, the tables say why."""
    cases = [case for case in read_cases(recordings) if case.instance == instance]
    assert cases
    judged = {case.identity: await compare.judge(case) for case in cases}
    for verdict in judged.values():
        TALLY[verdict.partition(":")[0]] += 1
        if verdict.startswith("kind"):
            EXPLAINED.add(verdict.removeprefix("kind: "))
    assert [name for name, verdict in judged.items() if verdict == "other"] == []


def test_the_tables_explain_nothing_else(recordings: Path) -> None:
    """An entry that no case needs is gone, and the page counts as we do."""
    counted = {
        name: int(number)
        for name, number in re.findall(r"\| ([a-z]+) \| ([0-9]+) \|", DOCUMENT.read_text())
    }
    if TALLY.total() != sum(counted.values()):
        pytest.skip("these are other recordings than the page tells of, or a part of them")
    assert set(KINDS) - EXPLAINED == set()
    assert counted == dict(TALLY)
