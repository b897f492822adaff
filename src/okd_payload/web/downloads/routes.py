# SPDX-License-Identifier: Apache-2.0
"""``/releases/NAME/tools``: a list for people, files with ranges, and the same for programs.

Asking for the list begins to take the tools out; asking for a file does so too where this instance
has it not, and is told to come back. Only names that the finished folder lists are files.
"""

from __future__ import annotations

import asyncio
import urllib.parse
from pathlib import Path
from typing import Annotated, Any

from litestar import Response, get
from litestar.exceptions import HTTPException, ServiceUnavailableException
from litestar.params import FromPath, HeaderParameter
from litestar.response import Stream

from okd_payload.errors import NotFound, OkdPayloadError
from okd_payload.release.extract.checksums import CHECKSUMS, SIGNATURE
from okd_payload.web.api.files import choose_piece
from okd_payload.web.api.parameters import Name
from okd_payload.web.api.problems import READING
from okd_payload.web.api.releases import find_release
from okd_payload.web.api.values import Answer
from okd_payload.web.downloads.arranging import arrange
from okd_payload.web.downloads.extraction import ToolExtraction
from okd_payload.web.downloads.store import Extract, Tools, ToolsState, ToolStore
from okd_payload.web.pages.rendering import AnyRequest, Renderer
from okd_payload.web.reading import read
from okd_payload.web.site import Site

FileName = FromPath[str]
Range = Annotated[str | None, HeaderParameter(name="Range", max_length=100)]
_FILE_TYPE = "application/octet-stream"
_SECONDS = "5"


class ToolAnswer(Answer, frozen=True, kw_only=True):
    """One archive, or a text beside them."""

    name: str
    size: int
    sha256: str
    path: str
    """Where it is fetched."""


class ToolsAnswer(Answer, frozen=True, kw_only=True):
    """The tools of a release, or how far taking them out is."""

    release: str
    state: str
    """waiting, extracting, ready or failed."""
    message: str
    files: tuple[ToolAnswer, ...]


def routes(site: Site, extract: Extract | None = None) -> list[Any]:
    """The downloads."""
    store = ToolStore(site.surroundings, extract or ToolExtraction(site.surroundings))
    renderer = Renderer(site)

    def tell(request: AnyRequest, error: Exception) -> Response[bytes]:
        return renderer.tell(request, error)

    @read(
        "/releases/{name:str}/tools",
        include_in_schema=False,
        exception_handlers={OkdPayloadError: tell, HTTPException: tell},
    )
    async def page(request: AnyRequest, name: Name) -> Response[bytes]:
        """The tools for people; looked at again by itself while they are taken out."""
        release = await find_release(site, name)
        tools = await store.look(release)
        arranged = arrange(tools.files)
        answer = renderer.answer(
            request,
            "tools.html",
            release=release,
            tools=tools,
            arranged=arranged,
            address=site.base_url or str(request.base_url).rstrip("/"),
            checksums=CHECKSUMS,
            is_signed=any(each.name == SIGNATURE for each in arranged.texts),
            path_of=lambda file: _path(name, file),
        )
        if not _has_ended(tools):
            answer.headers["Refresh"] = _SECONDS
        return answer

    @get(
        "/api/v2/releases/{name:str}/tools",
        responses=READING,
        tags=["releases"],
        operation_id="getReleaseTools",
    )
    async def listing(name: Name) -> ToolsAnswer:
        """The command-line tools of a release; asking begins to take them out, once.

        Ask again until the state is ``ready``: the files then stay for a while.
        """
        return _tell(name, await store.look(await find_release(site, name)))

    @read("/releases/{name:str}/tools/{file:str}", include_in_schema=False, media_type=_FILE_TYPE)
    async def download(
        *, request: AnyRequest, name: Name, file: FileName, wanted: Range = None
    ) -> Stream:
        """One file, or a range of it."""
        release = await find_release(site, name)
        path = await asyncio.to_thread(store.file, release, file)
        if path is None:
            raise _lacking(name, file, await store.look(release))
        return await _answer_piece(path, wanted if request.method == "GET" else None)

    return [page, listing, download]


def _lacking(release: str, file: str, tools: Tools) -> Exception:
    """Why a file is not here: another instance had it, it had to make room, or there is none."""
    if not _has_ended(tools):
        return ServiceUnavailableException(
            f"the tools of {release} are being taken out here: {tools.message}"
        )
    return NotFound(
        f"there is no {file} of {release} here",
        hint=f"see what there is: /releases/{release}/tools",
    )


async def _answer_piece(path: Path, wanted: str | None) -> Stream:
    """The file at ``path``, or the range of it that is ``wanted``."""
    piece = await asyncio.to_thread(choose_piece, path, wanted)
    headers = {"Accept-Ranges": "bytes", "Content-Length": str(piece.end - piece.start)}
    partial = not piece.is_whole
    if partial:
        headers["Content-Range"] = f"bytes {piece.start}-{piece.end - 1}/{piece.size}"
    is_text = path.suffix == ".txt"
    return Stream(
        piece.chunks,
        status_code=206 if partial else 200,
        media_type="text/plain" if is_text else _FILE_TYPE,
        headers=headers,
    )


def _has_ended(tools: Tools) -> bool:
    return tools.state in (ToolsState.READY, ToolsState.FAILED)


def _tell(name: str, tools: Tools) -> ToolsAnswer:
    return ToolsAnswer(
        release=name,
        state=tools.state.value,
        message=tools.message,
        files=tuple(
            ToolAnswer(
                name=each.name, size=each.size, sha256=each.sha256, path=_path(name, each.name)
            )
            for each in tools.files
        ),
    )


def _path(name: str, file: str) -> str:
    return f"/releases/{urllib.parse.quote(name, safe='')}/tools/{urllib.parse.quote(file)}"
