# SPDX-License-Identifier: Apache-2.0
"""The forms on the page of a stream: pausing, going on, rebuilding, rolling back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Response
from litestar.params import FromPath

from okd_payload.controller import actions
from okd_payload.web.access.guard import actor_of
from okd_payload.web.pages import deeds
from okd_payload.web.pages.acting import Refusal, Wish, acts, carry_out
from okd_payload.web.pages.deeds import Deed
from okd_payload.web.pages.rendering import AnyRequest
from okd_payload.web.pages.words import path_part
from okd_payload.web.site import Site

ShowStream = Callable[[AnyRequest, str, Refusal], Awaitable[Response[bytes]]]
_SIMPLE: tuple[tuple[Deed, Callable[..., Awaitable[object]]], ...] = (
    (deeds.PAUSE, actions.pause),
    (deeds.RESUME, actions.resume),
    (deeds.REBUILD, actions.rebuild),
)
"""Those that take a reason and nothing else."""


def address_of(name: str) -> str:
    """The page of the stream, where its forms are sent below."""
    return f"/releasestream/{path_part(name)}"


def routes(site: Site, show: ShowStream) -> list[Any]:
    """What the forms are sent to; ``show`` makes the page that says what was not done."""

    async def act(
        request: AnyRequest, name: str, deed: Deed, do: Callable[[Wish], Awaitable[object]]
    ) -> Response[Any]:
        async def refuse(refusal: Refusal) -> Response[bytes]:
            return await show(request, name, refusal)

        return await carry_out(request, deed, do, page=address_of(name), show=refuse)

    @acts("/releasestream/{stream:str}", deeds.ROLL_BACK)
    async def roll_back(request: AnyRequest, stream: FromPath[str]) -> Response[Any]:
        """The publication that was chosen."""

        async def do(wish: Wish) -> object:
            return await actions.roll_back(
                site.surroundings,
                stream,
                publication=wish.choice,
                actor=actor_of(request),
                reason=wish.reason,
            )

        return await act(request, stream, deeds.ROLL_BACK, do)

    def simple(deed: Deed, function: Callable[..., Awaitable[object]]) -> Any:
        @acts("/releasestream/{stream:str}", deed)
        async def change(request: AnyRequest, stream: FromPath[str]) -> Response[Any]:
            async def do(wish: Wish) -> object:
                return await function(
                    site.surroundings, stream, actor=actor_of(request), reason=wish.reason
                )

            return await act(request, stream, deed, do)

        return change

    return [roll_back, *(simple(deed, function) for deed, function in _SIMPLE)]
