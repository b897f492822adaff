# SPDX-License-Identifier: Apache-2.0
"""From a form to what it asks for: post, redirect, and one sentence on the page that follows.

What cannot be done is said on the page itself, with the reason still in its field.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import Any

import msgspec
from litestar import Response, post
from litestar.response import Redirect

from okd_payload.errors import InputError, UnknownName
from okd_payload.web.access.guard import identity_of, takes
from okd_payload.web.access.roles import Role
from okd_payload.web.api.actions import shorten
from okd_payload.web.pages.deeds import Deed
from okd_payload.web.pages.rendering import AnyRequest
from okd_payload.web.pages.saying import done_cookie


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


Show = Callable[[Refusal], Awaitable[Response[bytes]]]


def acts(path: str, deed: Deed) -> post:
    """The decorator of the route behind the form of ``deed``, below the page at ``path``."""
    return post(
        f"{path}/{deed.word}", opt=takes(deed.role), include_in_schema=False, status_code=303
    )


def roles_of(request: AnyRequest) -> Collection[Role]:
    """What whoever asks may do."""
    return identity_of(request.scope).roles


async def carry_out(
    request: AnyRequest,
    deed: Deed,
    do: Callable[[Wish], Awaitable[object]],
    *,
    page: str,
    show: Show,
) -> Response[Any]:
    """Do what the form asks for, and go to ``page``; ``show`` makes the page that says why not.

    Raises UnknownName where there is nothing to do it with.
    """
    wish = await _read(request, deed)
    if deed.loses and not wish.sure:
        return await show(
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
        return await show(refusal)
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
