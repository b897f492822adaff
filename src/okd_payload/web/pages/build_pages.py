# SPDX-License-Identifier: Apache-2.0
"""Runs of builds on this machine: the list, one run with its plan, and the log of one image."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from litestar import Response, get
from litestar.params import FromPath
from markupsafe import Markup

from okd_payload.build.drawing import draw_svg
from okd_payload.build.graph import waves
from okd_payload.errors import UnknownName
from okd_payload.web.pages.builds import BUILDING, WAITING, BuildRun, find_run, list_runs
from okd_payload.web.pages.logs import find_file, read_tail
from okd_payload.web.pages.rendering import AnyRequest, Renderer
from okd_payload.web.pages.run_pages import answer_log
from okd_payload.web.site import Site

_MOST = 100


def routes(site: Site, renderer: Renderer) -> list[Any]:
    """The pages of builds."""
    streams = site.builds or Path("/nonexistent")

    @get("/runs", include_in_schema=False)
    async def runs(request: AnyRequest) -> Response[bytes]:
        """All runs, the newest first."""
        found = await asyncio.to_thread(list_runs, streams)
        return renderer.answer(request, "builds.html", runs=found[:_MOST], more=len(found) - _MOST)

    @get("/runs/{stream:str}/{name:str}", include_in_schema=False)
    async def build(
        request: AnyRequest, stream: FromPath[str], name: FromPath[str]
    ) -> Response[bytes]:
        """One run."""
        run = await _find_run(streams, stream, name)
        return renderer.answer(
            request,
            "build.html",
            run=run,
            stream=stream,
            picture=Markup(draw_svg(run.graph, run.states)) if run.graph else "",  # noqa: S704 - draw_svg escapes all names
            wave_count=len(waves(run.graph)) if run.graph else 0,
            is_open=run.record.finished is None,
        )

    @get("/runs/{stream:str}/{name:str}/log/{image:str}", include_in_schema=False)
    async def log_page(
        request: AnyRequest, stream: FromPath[str], name: FromPath[str], image: FromPath[str]
    ) -> Response[bytes]:
        """The log of one image."""
        run = await _find_run(streams, stream, name)
        step, path = _find_step(streams, run, image)
        piece = await asyncio.to_thread(read_tail, path) if path is not None else None
        return renderer.answer(
            request,
            "build_log.html",
            run=run,
            stream=stream,
            step=step,
            piece=piece,
            is_open=step.state in (BUILDING, WAITING) and run.record.finished is None,
        )

    @get("/runs/{stream:str}/{name:str}/follow/{image:str}", include_in_schema=False)
    async def follow(
        request: AnyRequest, stream: FromPath[str], name: FromPath[str], image: FromPath[str]
    ) -> Response[bytes]:
        """What was logged since: for the script."""
        run = await _find_run(streams, stream, name)
        step, path = _find_step(streams, run, image)
        ended = step.state not in (BUILDING, WAITING) or run.record.finished is not None
        return await answer_log(request, path, is_ended=ended)

    return [runs, build, log_page, follow]


async def _find_run(streams: Path, stream: str, name: str) -> BuildRun:
    run = await asyncio.to_thread(find_run, streams, stream, name)
    if run is None:
        raise UnknownName("build run", name, known=(), hint="old runs are removed")
    return run


def _find_step(streams: Path, run: BuildRun, image: str) -> tuple[Any, Path | None]:
    step = next((each for each in run.steps if each.name == image), None)
    if step is None:
        raise UnknownName("image", image, known=[each.name for each in run.steps])
    return step, find_file(streams, step.log)
