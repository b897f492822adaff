# SPDX-License-Identifier: Apache-2.0
"""From a form to what it asks for: post, redirect, and one sentence on the page that follows.

What cannot be done is said on the page itself, with the reason still in its field.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

import msgspec
from litestar import Response, post
from litestar.params import FromPath
from litestar.response import Redirect

from okd_payload.errors import InputError, UnknownName
from okd_payload.web.access.guard import actor_of, identity_of, takes
from okd_payload.web.access.roles import Role
from okd_payload.web.api.actions import shorten
from okd_payload.web.pages.deeds import Deed
from okd_payload.web.pages.rendering import AnyRequest
from okd_payload.web.pages.saying import done_cookie
from okd_payload.web.site import Site


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a form asks for."""

    reason: str = ""
    sure: bool = False
    """That what is lost may be lost."""
    choice: str = ""
    """What the deed asks for besides."""


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """That something was not done, and what was asked for."""

    word: str
    message: str
    hint: str = ""
    wish: Wish


Show = Callable[[AnyRequest, str, Refusal], Awaitable[Response[bytes]]]
"""Makes the page of what has this name, which says what was not done."""
Action = Callable[..., Awaitable[object]]
"""Takes the surroundings, a name, ``actor``, ``reason``, and what its deed asks for by its name."""


def form_routes(
    site: Site,
    path: str,
    forms: Mapping[Deed, Action],
    *,
    address_of: Callable[[str], str],
    show: Show,
) -> list[Any]:
    """What the forms on the page at ``path``, with a ``name`` in it, are sent to.

    ``address_of`` a name is its page, where a deed that was done leads.
    """

    def route(deed: Deed, action: Action) -> Any:
        @post(f"{path}/{deed.word}", opt=takes(deed.role), include_in_schema=False, status_code=303)
        async def act(request: AnyRequest, name: FromPath[str]) -> Response[Any]:
            async def do(wish: Wish) -> object:
                asked = {deed.asks: wish.choice} if deed.asks else {}
                return await action(
                    site.surroundings, name, actor=actor_of(request), reason=wish.reason, **asked
                )

            async def refuse(refusal: Refusal) -> Response[bytes]:
                return await show(request, name, refusal)

            return await _carry_out(request, deed, do, page=address_of(name), refuse=refuse)

        return act

    return [route(deed, action) for deed, action in forms.items()]


def roles_of(request: AnyRequest) -> Collection[Role]:
    """What whoever asks may do."""
    return identity_of(request.scope).roles


async def _carry_out(
    request: AnyRequest,
    deed: Deed,
    do: Callable[[Wish], Awaitable[object]],
    *,
    page: str,
    refuse: Callable[[Refusal], Awaitable[Response[bytes]]],
) -> Response[Any]:
    """Do what the form asks for, and go to ``page``; ``refuse`` makes the page that says why not.

    Raises UnknownName where there is nothing to do it with.
    """
    wish = await _read(request, deed)
    if deed.loses and not wish.sure:
        return await refuse(
            Refusal(
                word=deed.word,
                message="Nothing was done, because the box is not ticked.",
                hint=f"Tick it if you mean it: {deed.loses}",
                wish=wish,
            )
        )
    try:
        await do(wish)
    except UnknownName:
        raise
    except InputError as error:
        refusal = Refusal(word=deed.word, message=error.message, hint=error.hint, wish=wish)
        return await refuse(refusal)
    return Redirect(page, status_code=303, cookies=[done_cookie(deed.word, page)])


async def _read(request: AnyRequest, deed: Deed) -> Wish:
    form = await request.form()

    def text(name: str) -> str:
        value = form.get(name, "")
        return shorten(value).strip() if isinstance(value, str) else ""

    return Wish(
        reason=text("reason"),
        sure=text("sure") == "yes",
        choice=text(deed.asks) if deed.asks else "",
    )
