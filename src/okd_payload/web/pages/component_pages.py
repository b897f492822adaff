# SPDX-License-Identifier: Apache-2.0
"""The history of one component across releases, and the search over everything."""

from __future__ import annotations

from typing import Any

from litestar import Response
from litestar.params import FromPath

from okd_payload.controller.views.images import Found, read_history, search
from okd_payload.errors import UnknownName
from okd_payload.web.keeping import KEPT
from okd_payload.web.pages.health import order_streams
from okd_payload.web.pages.rendering import AnyRequest, Renderer
from okd_payload.web.reading import read
from okd_payload.web.site import Site

_LONGEST_TEXT = 200


def routes(site: Site, renderer: Renderer) -> list[Any]:
    """The two pages."""

    def names() -> list[str]:
        ordered = order_streams(dict(site.surroundings.configurations()))
        return [each.name for each in ordered]

    @read("/component/{name:str}", include_in_schema=False, opt=KEPT)
    async def component(request: AnyRequest, name: FromPath[str]) -> Response[bytes]:
        """Which image of the component was in which releases."""
        history = await site.ask(read_history, name, names())
        if not history:
            raise UnknownName(
                "component", name, known=(), hint="no recent release of any stream has it"
            )
        by_stream: dict[str, list[Any]] = {}
        for each in history:
            by_stream.setdefault(each.stream, []).append(each)
        return renderer.answer(request, "component.html", name=name, streams=by_stream)

    @read("/search", include_in_schema=False)
    async def find(request: AnyRequest) -> Response[bytes]:
        """Releases, components and images."""
        text = request.query_params.get("q", "").strip()[:_LONGEST_TEXT]
        found = await site.ask(search, text, names()) if text else Found()
        return renderer.answer(request, "search.html", text=text, found=found)

    return [component, find]
