# SPDX-License-Identifier: Apache-2.0
"""Runs of builds on this machine: the list, one run with its plan, and the log of one image.

All of it is read from files that other processes write, of which a page takes bounded pieces.
Nothing is begun or ended here, and no name in an address leads out of the folder of a stream.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from litestar import Response, get
from litestar.params import FromPath
from litestar.response import File, Stream

from okd_payload.build.records import RunRecord, find_log, is_worked_on, log_name, read_run
from okd_payload.clock import Clock
from okd_payload.errors import UnknownName
from okd_payload.web.pages import builds
from okd_payload.web.pages.builds import BuildRun, BuildStep, Condition
from okd_payload.web.pages.following import (
    Followers,
    Mark,
    look_at,
    stop_asking,
    tell_changes,
    tell_log,
)
from okd_payload.web.pages.logs import find_file, last_lines, read_before, read_tail
from okd_payload.web.pages.plan_picture import MOST_WITH_ALL_EDGES, draw_plan, sign_of
from okd_payload.web.pages.rendering import AnyRequest, Renderer
from okd_payload.web.pages.words import path_part
from okd_payload.web.reading import read
from okd_payload.web.site import Site

_MOST = 100
_LIST_SECONDS = 2.0
_FAILURES_SHOWN = 10
_LINES_SHOWN = 12
_TAIL = 16 * 1024
_WATCHED = ("run.json", "begun.json", "plan.json")


class _Failure(msgspec.Struct, frozen=True):
    """An image that could not be made, and the end of its log."""

    step: BuildStep
    tail: str


def routes(site: Site, renderer: Renderer) -> list[Any]:
    """The pages of builds."""
    streams = site.builds or Path("/nonexistent")
    followers, clock = Followers(), site.surroundings.clock

    @read("/runs", include_in_schema=False)
    async def runs(request: AnyRequest) -> Response[bytes]:
        """All runs, the newest first."""
        found, more = await asyncio.to_thread(_list_runs, streams)
        return renderer.answer(request, "builds.html", runs=found, more=more)

    @get("/runs/events", include_in_schema=False)
    async def news() -> Stream:
        """That a run began, went on or ended."""
        return followers.stream(
            tell_changes(_look_at_all(streams), clock=clock, seconds=_LIST_SECONDS)
        )

    @read("/runs/{stream:str}/{name:str}", include_in_schema=False)
    async def build(
        request: AnyRequest, stream: FromPath[str], name: FromPath[str]
    ) -> Response[bytes]:
        """One run."""
        run = await _find_run(streams, stream, name)
        failures = await asyncio.to_thread(_read_failures, streams, run)
        critical = await asyncio.to_thread(builds.find_critical_path, run)
        return renderer.answer(
            request,
            "build.html",
            run=run,
            stream=stream,
            failures=failures,
            critical=[step for step in run.steps if step.name in critical],
            picture=draw_plan(run, _linked(stream, name), critical=critical),
            draws_all=len(run.steps) <= MOST_WITH_ALL_EDGES,
            sign_of=sign_of,
        )

    @get("/runs/{stream:str}/{name:str}/events", include_in_schema=False)
    async def changes(stream: FromPath[str], name: FromPath[str]) -> Stream | Response[bytes]:
        """That the run went on or ended."""
        run = await _find_run(streams, stream, name)
        if not run.is_open:
            return stop_asking()
        return followers.stream(tell_changes(look_at_run(run.path), clock=clock))

    return [runs, news, build, changes, *_log_routes(streams, renderer, followers, clock)]


def _log_routes(streams: Path, renderer: Renderer, followers: Followers, clock: Clock) -> list[Any]:
    @read("/runs/{stream:str}/{name:str}/log/{image:str}", include_in_schema=False)
    async def log_page(
        request: AnyRequest, stream: FromPath[str], name: FromPath[str], image: FromPath[str]
    ) -> Response[bytes]:
        """The log of one image: its end, or what lies before a place in it."""
        run = await _find_run(streams, stream, name)
        step = _find_step(run, image)
        path = find_file(streams, step.log)
        before = _number(request.query_params.get("before", ""))
        piece = None
        if path is not None:
            take = read_tail if before is None else lambda found: read_before(found, before)
            piece = await asyncio.to_thread(take, path)
        return renderer.answer(
            request,
            "build_log.html",
            run=run,
            stream=stream,
            step=step,
            piece=piece,
            follows=step.is_open and before is None,
            elsewhere="" if path else await asyncio.to_thread(_last_built_in, run, image),
            sign_of=sign_of,
        )

    @get("/runs/{stream:str}/{name:str}/log/{image:str}/events", include_in_schema=False)
    async def follow(
        request: AnyRequest, stream: FromPath[str], name: FromPath[str], image: FromPath[str]
    ) -> Stream | Response[bytes]:
        """What is logged after ``after``, as it is logged."""
        run = await _find_run(streams, stream, name)
        step = _find_step(run, image)
        known = request.headers.get("last-event-id", "")
        offset = _number(known or request.query_params.get("after", "")) or 0
        path = find_file(streams, step.log)
        size = await asyncio.to_thread(lambda: path.stat().st_size if path is not None else 0)
        if not step.is_open and offset >= size:
            return stop_asking()

        find = functools.partial(_look_at_log, streams, stream, name, image)
        return followers.stream(tell_log(find, clock=clock, offset=offset))

    @read("/runs/{stream:str}/{name:str}/log/{image:str}/whole.txt", include_in_schema=False)
    async def whole(stream: FromPath[str], name: FromPath[str], image: FromPath[str]) -> File:
        """The whole log as it is, to be stored."""
        run = await _find_run(streams, stream, name)
        path = find_file(streams, _find_step(run, image).log)
        if path is None:
            raise UnknownName("log", image, known=(), hint="nothing was logged in this run")
        return File(
            path,
            filename=log_name(image),
            media_type="application/octet-stream",
            content_disposition_type="attachment",
        )

    return [log_page, follow, whole]


def _look_at_log(streams: Path, stream: str, name: str, image: str) -> tuple[Path | None, bool]:
    """Where the log of an image is now, and whether it may still grow."""
    run = builds.find_run(streams, stream, name)
    found = next((each for each in run.steps if each.name == image), None) if run else None
    return (find_file(streams, found.log), found.is_open) if found else (None, False)


async def _find_run(streams: Path, stream: str, name: str) -> BuildRun:
    run = await asyncio.to_thread(builds.find_run, streams, stream, name)
    if run is None:
        raise UnknownName("build run", name, known=(), hint="old runs are removed")
    return run


def _find_step(run: BuildRun, image: str) -> BuildStep:
    step = next((each for each in run.steps if each.name == image), None)
    if step is None:
        raise UnknownName("image", image, known=[each.name for each in run.steps])
    return step


def _list_runs(streams: Path) -> tuple[list[tuple[RunRecord, Condition]], int]:
    """The newest runs, and how many there are besides."""
    found = builds.list_runs(streams)
    shown = [
        (each, builds.judge(each, folder) if folder is not None else Condition.CUT_OFF)
        for each in found[:_MOST]
        for folder in (builds.find_folder(streams, each.stream, each.id),)
    ]
    return shown, len(found) - len(shown)


def _linked(stream: str, name: str) -> Callable[[BuildStep], str]:
    run = f"/runs/{path_part(stream)}/{path_part(name)}"
    return lambda step: f"{run}/log/{path_part(step.name)}"


def _read_failures(streams: Path, run: BuildRun) -> list[_Failure]:
    """What went wrong, in the order in which it did, with the last lines of each log."""
    failed = run.in_state("failed") + run.in_state(builds.CUT_OFF)
    found = []
    for step in failed[:_FAILURES_SHOWN]:
        path = find_file(streams, step.log)
        tail = last_lines(read_tail(path, size=_TAIL), _LINES_SHOWN) if path is not None else ""
        found.append(_Failure(step, tail))
    return found


def _last_built_in(run: BuildRun, image: str) -> str:
    """The newest run of the stream that has a log of ``image``; empty where none has."""
    try:
        return find_log(run.path.parent, image).parent.parent.name
    except UnknownName:
        return ""


def look_at_run(folder: Path) -> Callable[[], Mark]:
    """Looks at the files of a run; its record is read only when one of them has changed."""
    seen: Any = None
    finished = False

    def look() -> Mark:
        nonlocal seen, finished
        now = look_at(folder / name for name in _WATCHED)
        if now != seen:
            record = read_run(folder)
            finished = record is None or record.finished is not None
            seen = now
        return Mark(now, not finished and is_worked_on(folder))

    return look


def _look_at_all(streams: Path) -> Callable[[], Mark]:
    """Looks at the records of all runs."""

    def look() -> Mark:
        folders = builds.run_folders(streams)
        return Mark(look_at(path for runs in folders for path in sorted(runs.glob("*/run.json"))))

    return look


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 16 else None
