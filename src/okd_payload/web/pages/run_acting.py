# SPDX-License-Identifier: Apache-2.0
"""The form on the page of a manual run: how it went."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Response
from litestar.params import FromPath

from okd_payload.controller import actions
from okd_payload.errors import InputError
from okd_payload.web.access.guard import actor_of
from okd_payload.web.pages.acting import Refusal, Wish, acts, carry_out
from okd_payload.web.pages.deeds import FINISH
from okd_payload.web.pages.rendering import AnyRequest
from okd_payload.web.pages.words import path_part
from okd_payload.web.site import Site

ShowRun = Callable[[AnyRequest, str, Refusal], Awaitable[Response[bytes]]]
_PASSED = "passed"
_OUTCOMES = (_PASSED, "failed")


def address_of(name: str) -> str:
    """The page of the run, where its form is sent below."""
    return f"/run/{path_part(name)}"


def routes(site: Site, show: ShowRun) -> list[Any]:
    """What the form is sent to; ``show`` makes the page that says what was not done."""

    @acts("/run/{name:str}", FINISH)
    async def finish(request: AnyRequest, name: FromPath[str]) -> Response[Any]:
        """Say how it went."""

        async def do(wish: Wish) -> object:
            if wish.choice not in _OUTCOMES:
                raise InputError("that says nothing of how it went", hint="it passed or it failed")
            return await actions.finish_run(
                site.surroundings,
                name,
                succeeded=wish.choice == _PASSED,
                actor=actor_of(request),
                reason=wish.reason,
            )

        async def refuse(refusal: Refusal) -> Response[bytes]:
            return await show(request, name, refusal)

        return await carry_out(request, FINISH, do, page=address_of(name), show=refuse)

    return [finish]
