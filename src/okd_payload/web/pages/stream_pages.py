# SPDX-License-Identifier: Apache-2.0
"""The overview of all streams, and the page of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from litestar import Response
from litestar.params import FromPath

from okd_payload.controller.configuration.model import StreamConfiguration, StreamKind
from okd_payload.controller.graph.gaps import find_dead_ends, find_gaps
from okd_payload.controller.model import Phase
from okd_payload.controller.records import schedules
from okd_payload.controller.retention.deciding import Fate
from okd_payload.controller.views.overview import StreamOverview, read_overview
from okd_payload.controller.views.stream import ReleaseFilter, StreamPage, read_stream
from okd_payload.web.fates import fates_of
from okd_payload.web.keeping import KEPT
from okd_payload.web.pages import stream_acting
from okd_payload.web.pages.acting import Refusal, roles_of
from okd_payload.web.pages.health import judge_health, order_streams
from okd_payload.web.pages.instructions import tell_graph
from okd_payload.web.pages.jobs import count_jobs, list_jobs
from okd_payload.web.pages.offers import Choice, offer, possible_on_stream
from okd_payload.web.pages.places import Place, read_places, still_stands
from okd_payload.web.pages.plots import plot_pass_rate, plot_time_to_accept
from okd_payload.web.pages.rendering import AnyRequest, Renderer
from okd_payload.web.pages.schedules import show_schedules
from okd_payload.web.pages.stream_acting import address_of
from okd_payload.web.pages.updates import updates_into
from okd_payload.web.reading import read
from okd_payload.web.site import Site

_LONGEST_TEXT = 200
_DEFAULT_CHANNEL = "stable-4"


def routes(site: Site, renderer: Renderer) -> list[Any]:
    """The two pages."""

    @read("/", include_in_schema=False, opt=KEPT)
    async def overview(request: AnyRequest) -> Response[bytes]:
        """All streams."""
        ordered = order_streams(dict(site.surroundings.configurations()))
        found = await site.ask(read_overview, [each.name for each in ordered])
        return renderer.answer(
            request,
            "overview.html",
            streams=[_summary(each, found[each.name]) for each in ordered],
            broken=[each for each in site.surroundings.configuration_issues() if each.blocks],
            instance=site.service.health if site.service is not None else None,
            patch=_patch(site, request, ordered),
        )

    async def show(
        request: AnyRequest, name: str, refusal: Refusal | None = None
    ) -> Response[bytes]:
        configuration = site.surroundings.configurations().get(name)
        if configuration is None:
            return _unknown(site, renderer, request, name)
        wanted = read_filter(request)
        page = await site.ask(read_stream, name, wanted)
        places = await site.ask(read_places, configuration)
        fates = await fates_of(site, configuration, page.releases)
        runs = await site.ask(schedules.list_of, name)
        possible = possible_on_stream(configuration, page.state, _returns(places))
        return renderer.answer(
            request,
            "stream.html",
            status=200 if refusal is None else 400,
            refusal=refusal,
            offers=offer(possible, address_of(name), roles_of(request)),
            places=places,
            schedules=show_schedules(configuration, runs),
            instance=site.service.health if site.service is not None else None,
            configuration=configuration,
            page=page,
            wanted=wanted,
            phases=list(Phase),
            rows=_rows(configuration, page, fates, places),
            plots=[
                plot
                for plot in (plot_pass_rate(page.decided), plot_time_to_accept(page.decided))
                if plot is not None
            ],
            **await _read_concerns(site, configuration),
        )

    @read("/releasestream/{stream:str}", include_in_schema=False, opt=KEPT)
    async def stream(request: AnyRequest, stream: FromPath[str]) -> Response[bytes]:
        """One stream."""
        return await show(request, stream)

    return [overview, stream, *stream_acting.routes(site, show)]


def _summary(configuration: StreamConfiguration, overview: StreamOverview) -> dict[str, Any]:
    """What the overview shows of one stream."""
    return {
        "configuration": configuration,
        "overview": overview,
        "health": judge_health(overview),
        "jobs": {
            release.name: count_jobs(
                list_jobs(
                    configuration,
                    overview.runs.get(release.name, ()),
                    is_decided=release.phase.is_final,
                )
            )
            for release in overview.newest
        },
    }


def read_filter(request: AnyRequest) -> ReleaseFilter:
    """What the query asks for; what it does not know is left out."""
    query = request.query_params
    known = {phase.value.lower(): phase for phase in Phase}
    phases = {known[word.lower()] for word in query.getall("phase", []) if word.lower() in known}
    return ReleaseFilter(
        phases=tuple(phase for phase in Phase if phase in phases),
        text=query.get("q", "").strip()[:_LONGEST_TEXT],
        before=query.get("before", "")[:_LONGEST_TEXT],
        withdrawn=query.get("withdrawn", "") == "1",
    )


async def _read_concerns(site: Site, configuration: StreamConfiguration) -> dict[str, Any]:
    """Of a stable stream: updates that nobody has seen work, and releases that are dead ends."""
    if configuration.kind is not StreamKind.STABLE:
        return {"gaps": [], "dead_ends": []}
    snapshot = await site.snapshots.read(site.surroundings)
    return {
        "gaps": find_gaps(snapshot, configuration.name),
        "dead_ends": find_dead_ends(snapshot, configuration.name),
    }


def _returns(places: Sequence[Place]) -> list[Choice]:
    """The publications that can be rolled back, and from what to what."""
    return [
        (each.action.name, f"{each.action.name}: {each.current.release} back to {each.returns_to}")
        for each in places
        if each.current is not None and each.returns_to
    ]


def _rows(
    configuration: StreamConfiguration,
    page: StreamPage,
    fates: Mapping[str, Fate],
    places: Sequence[Place],
) -> list[dict[str, Any]]:
    return [
        {
            "release": release,
            "jobs": count_jobs(
                list_jobs(
                    configuration,
                    page.runs.get(release.name, ()),
                    is_decided=release.phase.is_final,
                )
            ),
            "updates": updates_into(page.updates.get(release.name, ())),
            "fate": fates.get(release.name),
            "publications": still_stands(page.publications.get(release.name, ()), places),
        }
        for release in page.releases
    ]


def _unknown(site: Site, renderer: Renderer, request: AnyRequest, name: str) -> Response[bytes]:
    known = order_streams(dict(site.surroundings.configurations()))
    return renderer.answer(request, "unknown_stream.html", status=404, name=name, known=known)


def _patch(site: Site, request: AnyRequest, ordered: list[StreamConfiguration]) -> str:
    base = site.base_url or str(request.base_url).rstrip("/")
    channels = [channel for each in ordered for channel in each.channels]
    return tell_graph(f"{base}/graph", channels[0] if channels else _DEFAULT_CHANNEL)
