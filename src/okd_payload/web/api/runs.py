# SPDX-License-Identifier: Apache-2.0
"""Runs of verifications, with their logs and whatever files they left.

What a run printed is foreign: it is answered as plain text or as a download, never as something
that a browser would run, and a log in pieces of a megabyte at most.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

from litestar import Response, get
from litestar.params import HeaderParameter, PathParameter
from litestar.response import Stream

from okd_payload.controller.model import VerificationRun
from okd_payload.controller.records import runs as records
from okd_payload.errors import NotFound, UnknownName
from okd_payload.web.api.answers import RunAnswer, tell_run
from okd_payload.web.api.files import (
    LARGEST_PIECE,
    Piece,
    choose_piece,
    find_file,
    is_heeded,
    read_on,
)
from okd_payload.web.api.parameters import Name, Number
from okd_payload.web.api.problems import READING, READING_RANGES
from okd_payload.web.site import Site

Range = Annotated[str | None, HeaderParameter(name="Range", max_length=100)]
FilePath = Annotated[str, PathParameter()]

_LOG_TYPE = "text/plain"
_FILE_TYPE = "application/octet-stream"


def routes(site: Site) -> list[Any]:
    """Reading runs."""

    @get("/runs/{run_id:str}", responses=READING, tags=["runs"], operation_id="getRun")
    async def get_run(run_id: Name) -> RunAnswer:
        """One run."""
        return tell_run(await _find(site, run_id))

    @get(
        "/runs/{run_id:str}/log",
        responses=READING_RANGES,
        tags=["runs"],
        operation_id="getRunLog",
        media_type=_LOG_TYPE,
    )
    async def get_log(
        *, run_id: Name, offset: Number = None, wanted: Range = None
    ) -> Response[bytes]:
        """A piece of the log of a run, of a megabyte at most.

        It begins at the byte ``offset``, or is what the header ``Range`` asks for. ``Log-Size``
        says how long the log is now; while the run goes on, ask again from there.
        """
        run = await _find(site, run_id)
        if not run.log:
            raise NotFound(f"{run_id} has no log here", hint=run.url and f"look at {run.url}")
        folder = await site.files_of(run, (run.log,))
        piece = await asyncio.to_thread(_find_piece, folder, run.log, wanted, offset=offset)
        content = await asyncio.to_thread(lambda: b"".join(piece.chunks()))
        return _send_log(piece, content, in_range=is_heeded(wanted) and offset is None)

    @get(
        "/runs/{run_id:str}/artifacts/{file:path}",
        responses=READING,
        tags=["runs"],
        operation_id="getRunArtifact",
        media_type=_FILE_TYPE,
    )
    async def get_artifact(run_id: Name, file: FilePath) -> Stream:
        """One file that a run left, as a download."""
        run = await _find(site, run_id)
        name = f"runs/{run.id}/{str(file).lstrip('/')}"
        if name not in run.artifacts:
            raise NotFound(f"{run_id} left no such file", hint="the run lists its artifacts")
        folder = await site.files_of(run, (name,))
        path = await asyncio.to_thread(find_file, folder, name)
        piece = await asyncio.to_thread(choose_piece, path, None)
        return Stream(
            piece.chunks,
            media_type=_FILE_TYPE,
            headers={
                "Content-Disposition": "attachment",
                "Content-Length": str(piece.end - piece.start),
            },
        )

    return [get_run, get_log, get_artifact]


def _send_log(piece: Piece, content: bytes, *, in_range: bool) -> Response[bytes]:
    """A piece of a log; ``in_range`` says whether it is what a header ``Range`` asked for."""
    headers = {"Log-Size": str(piece.size), "Log-Offset": str(piece.start)}
    status = 200
    if in_range and piece.end > piece.start:
        status = 206
        headers["Content-Range"] = f"bytes {piece.start}-{piece.end - 1}/{piece.size}"
    return Response(content, status_code=status, media_type=_LOG_TYPE, headers=headers)


async def _find(site: Site, identity: str) -> VerificationRun:
    found = await site.ask(records.find, identity)
    if found is None:
        raise UnknownName("run", identity, known=())
    return found


def _find_piece(folder: Path, name: str, wanted: str | None, *, offset: int | None) -> Piece:
    path = find_file(folder, name)
    if offset is not None:
        return read_on(path, offset, most=LARGEST_PIECE)
    return choose_piece(path, wanted, most=LARGEST_PIECE)
