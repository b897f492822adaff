# SPDX-License-Identifier: Apache-2.0
"""All pages, and what they load. What fails is told on a page, too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from litestar import Response, Router
from litestar.exceptions import HTTPException
from litestar.params import FromPath

from okd_payload.errors import OkdPayloadError
from okd_payload.web.access.guard import OPEN
from okd_payload.web.pages import (
    build_pages,
    component_pages,
    release_pages,
    run_pages,
    sign_in_pages,
    stream_pages,
    webhook_pages,
)
from okd_payload.web.pages.assets import FOREVER, PREFIX
from okd_payload.web.pages.rendering import AnyRequest, Renderer
from okd_payload.web.problems import JSON_BELOW, answer_error
from okd_payload.web.reading import read
from okd_payload.web.site import Site

_PARTS = (
    stream_pages,
    release_pages,
    component_pages,
    run_pages,
    build_pages,
    sign_in_pages,
    webhook_pages,
)


def make_teller(site: Site) -> Callable[[AnyRequest, Exception], Response[bytes]]:
    """What answers errors of all routes: a page for browsers, and what programs know for others."""
    renderer = Renderer(site)

    def tell(request: AnyRequest, error: Exception) -> Response[bytes]:
        asks_for_page = "text/html" in request.headers.get("accept", "")
        if asks_for_page and not request.url.path.startswith(JSON_BELOW):
            return renderer.tell(request, error)
        return answer_error(request, error)

    return tell


def routes(site: Site) -> list[Any]:
    """The pages of ``site``."""
    renderer = Renderer(site)
    by_name = {asset.name: asset for asset in renderer.assets.values()}

    @read(PREFIX + "{name:str}", include_in_schema=False, opt=OPEN)
    async def asset(name: FromPath[str]) -> Response[bytes]:
        """A file that pages load."""
        found = by_name.get(name)
        if found is None:
            return Response(b"not found\n", status_code=404, media_type="text/plain")
        return Response(
            found.content, media_type=found.media_type, headers={"Cache-Control": FOREVER}
        )

    def tell(request: AnyRequest, error: Exception) -> Response[bytes]:
        return renderer.tell(request, error)  # a method of it would be copied with all of it

    handlers = [asset]
    for part in _PARTS:
        handlers += part.routes(site, renderer)
    told: dict[type[Exception] | int, Any] = {OkdPayloadError: tell, HTTPException: tell}
    return [Router("/", route_handlers=handlers, exception_handlers=told)]
