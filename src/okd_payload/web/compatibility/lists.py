# SPDX-License-Identifier: Apache-2.0
"""The releases of all streams together, by phase and by what teams said of them.

Names only, but for approvals: scripts go through all streams with these. A stream without any has
null and not an empty list, streams at their end are left out, and JSON is indented by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from litestar.params import FromQuery

from okd_payload.controller.model import Phase
from okd_payload.controller.records import approvals
from okd_payload.controller.views.names import NamedRelease, find_all, list_names
from okd_payload.web.compatibility.answers import Answer, Refusal, send_json
from okd_payload.web.compatibility.numbers import read_count
from okd_payload.web.compatibility.shown import by_version, in_order, show
from okd_payload.web.keeping import KEPT
from okd_payload.web.reading import read
from okd_payload.web.site import Site

_PHASES: dict[str, Phase | None] = {
    "accepted": Phase.ACCEPTED,
    "rejected": Phase.REJECTED,
    "ready": Phase.READY,
    "all": None,
}


def routes(site: Site) -> Sequence[Any]:
    """What is below all streams."""

    @read("/api/v1/releasestreams/approvals", include_in_schema=False)
    async def approved(
        team: FromQuery[str] = "", prefix: FromQuery[str] = "", index: FromQuery[str] = ""
    ) -> Answer:
        """The releases that a team, or any, has approved, by version."""
        place = read_count("index", index) if index else None
        said = await site.ask(approvals.list_of)
        names = {each.release for each in said if not team or each.team.lower() == team.lower()}
        found = await site.ask(find_all, names)
        shown = [show(each, site) for each in by_version(found) if each.name.startswith(prefix)]
        if place is None:
            return send_json(shown, indent=1)
        if place >= len(shown):
            raise Refusal(400, f"error: ?index value must be between 0-{len(shown) - 1}")
        return send_json(shown[place], indent=1)

    return [approved, *(_list_route(site, word, phase) for word, phase in _PHASES.items())]


def _list_route(site: Site, word: str, phase: Phase | None) -> Any:
    @read(f"/api/v1/releasestreams/{word}", include_in_schema=False, opt=KEPT)
    async def listed() -> Answer:
        """The names of releases by stream; null for a stream that has none."""
        configurations = site.surroundings.configurations()
        found: dict[str, list[NamedRelease]] = {
            name: [] for name, each in configurations.items() if not each.end_of_life
        }
        for release in await site.ask(list_names, phase):
            if release.stream in found:
                found[release.stream].append(release)
        names = {
            name: [each.name for each in in_order(members, configurations[name])] or None
            for name, members in sorted(found.items())
        }
        return send_json(names, indent=1)

    return listed
