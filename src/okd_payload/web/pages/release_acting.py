# SPDX-License-Identifier: Apache-2.0
"""The forms on the page of a release: judging, keeping, withdrawing, approving, publishing."""

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

ShowRelease = Callable[[AnyRequest, str, Refusal], Awaitable[Response[bytes]]]
_SIMPLE: tuple[tuple[Deed, Callable[..., Awaitable[object]]], ...] = (
    (deeds.ACCEPT, actions.accept),
    (deeds.REJECT, actions.reject),
    (deeds.RETRY, actions.retry),
    (deeds.KEEP, actions.keep),
    (deeds.STOP_KEEPING, actions.stop_keeping),
    (deeds.WITHDRAW, actions.withdraw),
    (deeds.RESTORE, actions.restore),
)
"""Those that take a reason and nothing else."""


def address_of(name: str) -> str:
    """The page of the release, where its forms are sent below."""
    return f"/releasetag/{path_part(name)}"


def routes(site: Site, show: ShowRelease) -> list[Any]:
    """What the forms are sent to; ``show`` makes the page that says what was not done."""

    async def act(
        request: AnyRequest, name: str, deed: Deed, do: Callable[[Wish], Awaitable[object]]
    ) -> Response[Any]:
        async def refuse(refusal: Refusal) -> Response[bytes]:
            return await show(request, name, refusal)

        return await carry_out(request, deed, do, page=address_of(name), show=refuse)

    @acts("/releasetag/{tag:str}", deeds.APPROVE)
    async def approve(request: AnyRequest, tag: FromPath[str]) -> Response[Any]:
        """For a team."""

        async def do(wish: Wish) -> object:
            return await actions.approve(
                site.surroundings,
                tag,
                team=wish.choice,
                actor=actor_of(request),
                reason=wish.reason,
            )

        return await act(request, tag, deeds.APPROVE, do)

    @acts("/releasetag/{tag:str}", deeds.PUBLISH)
    async def publish(request: AnyRequest, tag: FromPath[str]) -> Response[Any]:
        """In the way that was chosen."""

        async def do(wish: Wish) -> object:
            return await actions.publish(
                site.surroundings,
                tag,
                publication=wish.choice,
                actor=actor_of(request),
                reason=wish.reason,
            )

        return await act(request, tag, deeds.PUBLISH, do)

    def simple(deed: Deed, function: Callable[..., Awaitable[object]]) -> Any:
        @acts("/releasetag/{tag:str}", deed)
        async def change(request: AnyRequest, tag: FromPath[str]) -> Response[Any]:
            async def do(wish: Wish) -> object:
                return await function(
                    site.surroundings, tag, actor=actor_of(request), reason=wish.reason
                )

            return await act(request, tag, deed, do)

        return change

    return [approve, publish, *(simple(deed, function) for deed, function in _SIMPLE)]
