# SPDX-License-Identifier: Apache-2.0
"""Signing in with a token of the interface, and signing out.

The token is read from the form and goes nowhere else: not into an address, a log or a cookie.
Both forms are taken from pages of this site only, also before anybody is known, so that nobody
is signed in as somebody else without noticing. Who tries too often is refused unheard.
"""

from __future__ import annotations

import re
from typing import Any

from litestar import Response, post
from litestar.response import Redirect

from okd_payload.web.access.attempts import Attempts
from okd_payload.web.access.guard import (
    OPEN,
    address_at,
    remember,
    require_hearing,
    require_same_origin,
    session_of,
    speaks_encrypted,
)
from okd_payload.web.access.identity import Identity
from okd_payload.web.access.sessions import (
    close_session,
    open_session,
    recognise_session,
    session_cookie,
)
from okd_payload.web.access.tokens import recognise, roles_of
from okd_payload.web.pages.rendering import AnyRequest, Renderer
from okd_payload.web.reading import read
from okd_payload.web.site import Site

_LONGEST = 2000
_PAGE = re.compile(r"/(?![/\\])[!-\[\]-~]*")
"""An address of this site: a path, and not one that browsers take for another host."""
_NEAR = ("localhost", "127.0.0.1", "[::1]")


def routes(site: Site, renderer: Renderer) -> list[Any]:
    """The page, and what its form and the button on every page are sent to."""
    attempts = Attempts(site.surroundings.clock, limit=site.settings.access.attempts)

    def show(
        request: AnyRequest, following: str, *, status: int = 200, trouble: str = ""
    ) -> Response[bytes]:
        return renderer.answer(
            request,
            "sign_in.html",
            status=status,
            trouble=trouble,
            following=following,
            is_overheard=_is_overheard(site, request),
        )

    @read("/sign-in", include_in_schema=False, opt=OPEN)
    async def page(request: AnyRequest) -> Response[bytes]:
        """The form."""
        return show(request, page_of(request.query_params.get("next", "/")))

    @post("/sign-in", include_in_schema=False, opt=OPEN, status_code=303)
    async def sign_in(request: AnyRequest) -> Response[Any]:
        """Take a token, and let this browser act with it for some hours."""
        require_same_origin(site, request)
        address = address_at(site, request)
        require_hearing(attempts, address)
        form = await request.form()
        following, text = page_of(form.get("next", "/")), form.get("token", "")
        token = await recognise(site.surroundings, text.strip()) if isinstance(text, str) else None
        if token is None:
            attempts.note_failure(address)
            trouble = "This token is not known, revoked or expired."
            return show(request, following, status=401, trouble=trouble)
        remember(request, Identity(name=token.name, roles=roles_of(token), address=address))
        await close_session(site.surroundings, session_of(site, request))
        session = await open_session(site.surroundings, token)
        cookie = session_cookie(session, encrypted=speaks_encrypted(site, request))
        return Redirect(following, status_code=303, cookies=[cookie])

    @post("/sign-out", include_in_schema=False, opt=OPEN, status_code=303)
    async def sign_out(request: AnyRequest) -> Response[Any]:
        """Forget this browser."""
        require_same_origin(site, request)
        shown, address = session_of(site, request), address_at(site, request)
        token = await recognise_session(site.surroundings, shown)
        if token is not None:
            remember(request, Identity(name=token.name, address=address))
        await close_session(site.surroundings, shown)
        cookie = session_cookie("", encrypted=speaks_encrypted(site, request))
        return Redirect("/", status_code=303, cookies=[cookie])

    return [page, sign_in, sign_out]


def page_of(text: object) -> str:
    """``text`` where it is the address of a page here, else that of the overview."""
    if isinstance(text, str) and len(text) <= _LONGEST and _PAGE.fullmatch(text):
        return text
    return "/"


def _is_overheard(site: Site, request: AnyRequest) -> bool:
    """Whether others on the way could read what is typed."""
    host = request.headers.get("host", "")
    near = any(host == each or host.startswith(f"{each}:") for each in _NEAR)
    return not near and not speaks_encrypted(site, request)
