# SPDX-License-Identifier: Apache-2.0
"""One run of a verification: its log while it grows, its results, and the files it left.

All of it is what a stranger's program wrote. A page shows text of it, bounded; files are only ever
downloads, by their number among those that the record lists and that are there.
"""

from __future__ import annotations

import asyncio
from pathlib import Path, PurePosixPath
from typing import Any

from litestar import Response
from litestar.params import FromPath
from litestar.response import File

from okd_payload.controller.model import VerificationRun
from okd_payload.controller.records import runs as records
from okd_payload.errors import UnknownName
from okd_payload.web.pages import run_acting
from okd_payload.web.pages.acting import Refusal, roles_of
from okd_payload.web.pages.logs import LogPiece, find_file, read_from, read_tail
from okd_payload.web.pages.offers import offer, possible_on_run
from okd_payload.web.pages.release_pages import read_all_results
from okd_payload.web.pages.rendering import AnyRequest, Renderer
from okd_payload.web.pages.run_acting import address_of
from okd_payload.web.reading import read
from okd_payload.web.site import Site

_NEXT, _ENDED = "X-Log-Next", "X-Log-Ended"


def routes(site: Site, renderer: Renderer) -> list[Any]:
    """The page, the log and the files of runs."""

    async def show(
        request: AnyRequest, name: str, refusal: Refusal | None = None
    ) -> Response[bytes]:
        run = await _find_run(site, name)
        folder = await site.files_of(run)
        path = find_file(folder, run.log)
        piece = await asyncio.to_thread(read_tail, path) if path is not None else None
        results = await asyncio.to_thread(read_all_results, folder, run)
        files = [each for each in run.artifacts if find_file(folder, each)]
        return renderer.answer(
            request,
            "run.html",
            status=200 if refusal is None else 400,
            refusal=refusal,
            offers=offer(possible_on_run(run), address_of(name), roles_of(request)),
            run=run,
            piece=piece,
            results=results,
            files=[(number, PurePosixPath(each).name) for number, each in enumerate(files)],
        )

    @read("/run/{name:str}", include_in_schema=False)
    async def page(request: AnyRequest, name: FromPath[str]) -> Response[bytes]:
        """A run."""
        return await show(request, name)

    @read("/run/{name:str}/log", include_in_schema=False)
    async def log(request: AnyRequest, name: FromPath[str]) -> Response[bytes]:
        """What was logged after ``offset``: for the script, while a run goes on."""
        run = await _find_run(site, name)
        path = find_file(await site.files_of(run, (run.log,)), run.log)
        return await answer_log(request, path, is_ended=run.state.is_final)

    @read("/run/{name:str}/log.txt", include_in_schema=False)
    async def whole_log(name: FromPath[str]) -> File:
        """The whole log as it is, to be stored."""
        run = await _find_run(site, name)
        folder = await site.files_of(run, (run.log,))
        return _download(find_file(folder, run.log), f"{name}.log")

    @read("/run/{name:str}/file/{number:int}", include_in_schema=False)
    async def artifact(name: FromPath[str], number: FromPath[int]) -> File:
        """A file that the run left, to be stored."""
        run = await _find_run(site, name)
        folder = await site.files_of(run)
        files = [each for each in run.artifacts if find_file(folder, each)]
        if not 0 <= number < len(files):
            raise UnknownName("file", str(number), known=(), hint="the run left no such file")
        found = find_file(folder, files[number])
        return _download(found, PurePosixPath(files[number]).name)

    return [page, log, whole_log, artifact, *run_acting.routes(site, show)]


async def _find_run(site: Site, name: str) -> VerificationRun:
    run = await site.ask(records.find, name)
    if run is None:
        raise UnknownName("run", name, known=(), hint="its release may have been removed")
    return run


async def answer_log(request: AnyRequest, path: Path | None, *, is_ended: bool) -> Response[bytes]:
    """The piece of the log at ``path`` that the request asks for."""
    text = request.query_params.get("offset", "0")
    offset = int(text) if text.isdecimal() and len(text) < 16 else 0
    piece = (
        await asyncio.to_thread(read_from, path, offset)
        if path is not None
        else LogPiece(text="", start=0, end=0, size=0)
    )
    ended = is_ended and piece.end >= piece.size
    return Response(
        piece.text.encode(errors="replace"),
        media_type="text/plain; charset=utf-8",
        headers={
            _NEXT: str(piece.end),
            _ENDED: "yes" if ended else "no",
            "Cache-Control": "no-store",
        },
    )


def _download(path: Path | None, name: str) -> File:
    """A file that no browser shows as a page of ours."""
    if path is None:
        raise UnknownName("file", name, known=(), hint="nothing was logged, or it was removed")
    return File(
        path,
        filename=name,
        media_type="application/octet-stream",
        content_disposition_type="attachment",
    )
