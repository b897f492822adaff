# SPDX-License-Identifier: Apache-2.0
"""Every recorded answer of the old controller is ours too, or differs on purpose.

Pages are not compared: ours are others. The recording ``live`` cannot be taken over as a whole.
"""

from __future__ import annotations

import copy
import re
import urllib.parse
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from differences import BOTH, KINDS, RULES, Difference
from litestar.testing import AsyncTestClient
from recorded_answers import ARTIFACTS, Case, RecordedHistory, TakenOver, read_cases
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


class Comparison:
    """One instance of ours, asked what the recorded one was asked."""

    def __init__(self, client: AsyncTestClient[Any], state: TakenOver) -> None:
        self._client = client
        self._state = state

    async def judge(self, case: Case) -> str:
        """``same``, ``page``, ``rule: ...``, ``kind: ...``, or ``other``."""
        query = f"?{case.request.query}" if case.request.query else ""
        answer = await self._client.request(
            case.request.method,
            f"{case.request.path}{query}",
            headers=case.request.headers,
            follow_redirects=False,
        )
        expected = case.response
        if expected.body_skeleton is not msgspec.UNSET and answer.status_code == expected.status:
            assert "html" in answer.headers["content-type"]
            return "page"
        text = self._state.restore(answer.text)
        recorded, found = expected.body_json, text
        if recorded is msgspec.UNSET:
            recorded = "" if expected.body_text is msgspec.UNSET else expected.body_text
        elif text:
            found = msgspec.json.decode(text) if text[0] in '{["n' else text
        elif recorded is None:  # the answer to HEAD
            recorded = ""
        if answer.status_code == expected.status and answer.headers.get(
            "location"
        ) == expected.headers.get("Location"):
            judged = explain(ordered(recorded), ordered(found))
            if judged != "other":
                return judged
        difference = Difference(
            method=case.request.method,
            path=case.request.path,
            parameters=dict(urllib.parse.parse_qsl(case.request.query)),
            family=case.family,
            recorded_status=expected.status,
            recorded=recorded,
            status=answer.status_code,
            found=found,
        )
        return next(
            (f"kind: {kind}" for kind, holds in KINDS.items() if holds(difference)), "other"
        )


def explain(expected: Any, found: Any) -> str:
    """Which rules lead from ``expected`` to ``found``."""
    if expected == found:
        return "same"
    used = []
    for rule in RULES:
        if isinstance(expected, str) and rule.__name__ != "all_tickets":
            continue
        changed = rule(copy.deepcopy(expected))
        other = rule(copy.deepcopy(found)) if rule in BOTH else found
        if changed != expected or other != found:
            used.append(rule.__name__)
        expected, found = changed, other
    return f"rule: {', '.join(used)}" if ordered(expected) == ordered(found) and used else "other"


def ordered(value: Any) -> Any:
    """``value`` with an order where the recorded program had none."""
    if isinstance(value, dict) and "nodes" in value and "edges" in value:
        names = [node["version"] for node in value["nodes"] or ()]
        pairs = [[names[source], names[target]] for source, target in value["edges"] or ()]
        nodes = sorted(value["nodes"] or (), key=lambda node: str(node["version"]))
        return {"versions": nodes, "pairs": sorted(pairs)}
    if isinstance(value, dict):
        return {
            key: sorted(item, key=lambda each: (each["From"], each["To"]))
            if key in {"upgradesTo", "upgradesFrom"}
            else item
            for key, item in value.items()
        }
    if isinstance(value, list) and value and "results" in value[0]:
        return sorted(value, key=lambda each: (each["from"], each["to"]))
    return value


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
        yield Comparison(client, state)
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
    cases = [
        case
        for case in read_cases(recordings)
        if case.instance == instance and case.family != "pages"
    ]
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
