# SPDX-License-Identifier: Apache-2.0
"""What the recorded controllers made is told here as their interface told it.

Recorded lists have streams that are kept apart: those are passed over. So are phases of the stream
without payload objects, which there are unknown.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from comparing import Comparison
from litestar.testing import AsyncTestClient
from live_state import RecordedStream, gather, read_streams
from recorded_answers import ARTIFACTS, read_cases
from rig import Rig

from okd_payload.controller.migration.taking_over import plan_takeover, take_over
from okd_payload.web.access.settings import SiteSettings
from okd_payload.web.application import make_application
from okd_payload.web.site import Site

WITHOUT_OBJECTS = "4.19.0-0.okd-scos"
EXPECTED = {"same", "rule: only_jobs_that_ran"}

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def recordings(shared_data: Path) -> Path:
    """The folder of recordings."""
    return shared_data / "release-controller-recordings"


@pytest.fixture(scope="module")
def streams(recordings: Path) -> list[RecordedStream]:
    """The streams that are not kept apart."""
    return read_streams(recordings / "controller")


@pytest.fixture
async def client(
    streams: list[RecordedStream], tmp_path: Path
) -> AsyncIterator[AsyncTestClient[Any]]:
    """A controller of ours that took over what was made."""
    rig = Rig(tmp_path)
    takeover = plan_takeover(gather(streams))
    rig.streams.clear()
    rig.streams.update(takeover.configurations)
    await take_over(rig.surroundings, takeover)
    settings = SiteSettings(artifacts=ARTIFACTS)
    site = Site(surroundings=rig.surroundings, settings=settings, architecture="amd64")
    async with AsyncTestClient[Any](make_application(site)) as opened:
        yield opened
    await rig.database.close()


class Known:
    """What of the answers is of streams whose state is known."""

    def __init__(self, streams: list[RecordedStream]) -> None:
        self.names = {each.config["name"] for each in streams}

    def take(self, value: Any) -> Any:
        """``value`` without what is of other streams, or has a phase that was not known."""
        if isinstance(value, list):
            return [self.take(item) for item in value]
        if not isinstance(value, dict):
            return value
        if "nodes" in value:
            return self._take_graph(value)
        if "4-scos-stable" in value:
            return {name: value[name] for name in self.names - {WITHOUT_OBJECTS}}
        is_open = str(value.get("name", "")).startswith(WITHOUT_OBJECTS)
        hidden = {"phase"} if is_open else set()
        return {key: self.take(item) for key, item in value.items() if key not in hidden}

    def _take_graph(self, graph: dict[str, Any]) -> dict[str, Any]:
        kept = [node for node in graph["nodes"] if self._is_of(node["version"])]
        places = {graph["nodes"].index(node): place for place, node in enumerate(kept)}
        edges = [[places[source], places[target]] for source, target in graph["edges"]]
        return {"nodes": kept, "edges": edges}

    def _is_of(self, release: str) -> bool:
        return "-0." not in release or any(release.startswith(name) for name in self.names)


async def test_what_was_made_is_told_as_it_was(
    client: AsyncTestClient[Any], streams: list[RecordedStream], recordings: Path
) -> None:
    """Lists, releases with their jobs, the graph; of reference streams, too."""
    known = Known(streams)
    compare = Comparison(client, comparable=known.take)
    judged = {}
    for case in read_cases(recordings):
        asked = next((step for step in case.request.path.split("/") if "-0." in step), "")
        if case.instance == "live" and case.family != "pages" and asked in {"", *known.names}:
            judged[case.identity] = await compare.judge(case)
    assert len(judged) > 12
    wrong = {name: verdict for name, verdict in judged.items() if verdict not in EXPECTED}
    assert wrong == {}
