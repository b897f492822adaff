# SPDX-License-Identifier: Apache-2.0
"""The page of one release, and what differs between any two."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Response
from litestar.params import FromPath

from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.controller.model import (
    CONTROLLER,
    Phase,
    Release,
    RunState,
    VerificationRun,
)
from okd_payload.controller.records import approvals
from okd_payload.controller.records import releases as records
from okd_payload.controller.verification.judging import ready_since
from okd_payload.controller.verification.junit import TestResults, read_junit
from okd_payload.controller.views.release import ReleaseView, read_comparison, read_release
from okd_payload.errors import UnknownName
from okd_payload.web.fates import fates_of
from okd_payload.web.keeping import KEPT
from okd_payload.web.pages import release_acting
from okd_payload.web.pages.acting import Refusal, roles_of
from okd_payload.web.pages.instructions import tell_release
from okd_payload.web.pages.jobs import Job, count_jobs, list_jobs
from okd_payload.web.pages.logs import find_file, last_lines, read_bounded, read_tail
from okd_payload.web.pages.offers import offer, possible_on_release
from okd_payload.web.pages.places import read_places, what_came_of_it
from okd_payload.web.pages.release_acting import address_of
from okd_payload.web.pages.rendering import AnyRequest, Renderer
from okd_payload.web.pages.suspects import FailedRun, Suspect, rank_suspects
from okd_payload.web.pages.updates import draw_updates, updates_into, updates_out_of
from okd_payload.web.reading import read
from okd_payload.web.site import Site

_EXCERPTS = 5
"""Failed runs whose logs and results are read for the page."""
_EXCERPT_LINES = 15
_SUSPECTS = 10
_OFFERED = 200
"""The newest releases whose names a browser completes."""


class Excerpt(msgspec.Struct, frozen=True, kw_only=True):
    """What a failed run left behind, in short."""

    run: VerificationRun
    tail: str = ""
    results: tuple[tuple[str, TestResults], ...] = ()
    log: str = ""
    """More of its log, in which images are looked for."""


def routes(site: Site, renderer: Renderer) -> list[Any]:
    """The pages of releases."""

    async def show(
        request: AnyRequest, name: str, stream: str = "", *, refusal: Refusal | None = None
    ) -> Response[bytes]:
        view = await site.ask(read_release, name)
        if view is None or (stream and view.release.stream != stream):
            raise UnknownName(
                "release", name, known=(), hint="it may have been removed; search for its name"
            )
        return renderer.answer(
            request,
            "release.html",
            status=200 if refusal is None else 400,
            refusal=refusal,
            **await _values(site, request, view),
        )

    async def show_refusal(request: AnyRequest, name: str, refusal: Refusal) -> Response[bytes]:
        return await show(request, name, refusal=refusal)

    @read("/releasestream/{stream:str}/release/{tag:str}", include_in_schema=False, opt=KEPT)
    async def release(
        request: AnyRequest, stream: FromPath[str], tag: FromPath[str]
    ) -> Response[bytes]:
        """A release of a stream, or what changed to it from the one that `from` names."""
        return _comparison(request, tag) or await show(request, tag, stream)

    @read("/releasetag/{tag:str}", include_in_schema=False, opt=KEPT)
    async def release_tag(request: AnyRequest, tag: FromPath[str]) -> Response[bytes]:
        """The same by its name alone."""
        return _comparison(request, tag) or await show(request, tag)

    @read("/compare", include_in_schema=False)
    async def compare(request: AnyRequest) -> Response[bytes]:
        """What differs between two releases."""
        before = request.query_params.get("from", "").strip()
        after = request.query_params.get("to", "").strip()
        asked = bool(before and after)
        comparison = await site.ask(read_comparison, before, after) if asked else None
        newest = await site.ask(records.list_of, limit=_OFFERED)
        return renderer.answer(
            request,
            "compare.html",
            status=404 if asked and comparison is None else 200,
            comparison=comparison,
            before=before,
            after=after,
            newest=newest,
        )

    return [release, release_tag, compare, *release_acting.routes(site, show_refusal)]


def _comparison(request: AnyRequest, name: str) -> Response[bytes] | None:
    """The way to the comparison that the address asks for, as links of the old controller do."""
    before = request.query_params.get("from", "").strip()
    if not before:
        return None
    address = f"/compare?{urlencode({'from': before, 'to': name})}"
    return Response(b"", status_code=302, headers={"Location": address})


async def _values(site: Site, request: AnyRequest, view: ReleaseView) -> dict[str, Any]:
    release = view.release
    configuration = site.surroundings.configurations().get(release.stream)
    jobs = list_jobs(
        configuration,
        view.runs,
        since=ready_since(release, view.transitions),
        is_decided=release.phase.is_final,
    )
    excerpts = [await _take_excerpt(site, run) for run in failed_runs(jobs)]
    into, out_of = updates_into(view.updates_in), updates_out_of(view.updates_out)
    places = await site.ask(read_places, configuration) if configuration is not None else ()
    stands = [
        each.action.name for each in places if each.current and each.current.release == release.name
    ]
    possible = possible_on_release(release, configuration, stands)
    return {
        "view": view,
        "release": release,
        "configuration": configuration,
        "jobs": jobs,
        "counts": count_jobs(jobs),
        "excerpts": excerpts,
        "suspects": _suspects(release, view, excerpts),
        "into": into,
        "out_of": out_of,
        "picture": draw_updates(release.name, into, out_of) if into or out_of else "",
        "instructions": tell_release(release),
        "fate": (await fates_of(site, configuration, [release])).get(release.name),
        "publications": what_came_of_it(view.publications),
        "controller": CONTROLLER,
        "kinds": _kinds(configuration),
        "stands": stands,
        "approvals": await site.ask(approvals.list_of, release.name),
        "offers": offer(possible, address_of(release.name), roles_of(request)),
    }


def failed_runs(jobs: Sequence[Job]) -> list[VerificationRun]:
    """The last failed run of each job that failed, what blocks first."""
    found = [job.latest for job in jobs]
    bad = (RunState.FAILED, RunState.ERROR)
    return [run for run in found if run is not None and run.state in bad][:_EXCERPTS]


async def _take_excerpt(site: Site, run: VerificationRun) -> Excerpt:
    folder = await site.files_of(run, (run.log, *filter(_is_result, run.artifacts)))
    return await asyncio.to_thread(_read_excerpt, folder, run)


def _read_excerpt(folder: Path, run: VerificationRun) -> Excerpt:
    path = find_file(folder, run.log)
    piece = read_tail(path) if path is not None else None
    return Excerpt(
        run=run,
        tail=last_lines(piece, _EXCERPT_LINES) if piece else "",
        log=piece.text if piece else "",
        results=tuple(
            (name, results) for name, results in read_all_results(folder, run) if results.failures
        ),
    )


def read_all_results(folder: Path, run: VerificationRun) -> list[tuple[str, TestResults]]:
    """What each JUnit file of ``run`` says; their names lead below ``folder``."""
    found = []
    for name in filter(_is_result, run.artifacts):
        path = find_file(folder, name)
        if path is not None:
            found.append((name, read_junit(read_bounded(path))))
    return found


def _is_result(name: str) -> bool:
    return name.endswith(".xml")


def _suspects(
    release: Release, view: ReleaseView, excerpts: Sequence[Excerpt]
) -> tuple[Suspect, ...]:
    """Whom to ask first, where something failed."""
    if not excerpts and release.phase is not Phase.FAILED:
        return ()
    failed = [
        FailedRun(verification=each.run.verification, message=each.run.message, log=each.log)
        for each in excerpts
    ]
    if release.phase is Phase.FAILED:
        failed.append(FailedRun(verification="creation", message=release.message))
    return rank_suspects(view.changes, failed)[:_SUSPECTS]


def _kinds(configuration: StreamConfiguration | None) -> dict[str, str]:
    """The kind of each publication by its name."""
    return {each.name: each.kind for each in configuration.publications} if configuration else {}
