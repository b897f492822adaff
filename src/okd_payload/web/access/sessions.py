# SPDX-License-Identifier: Apache-2.0
"""Browsers that signed in: each has a cookie for some hours, made of a token and ended with it.

The cookie is no token of the interface, and no token is a cookie. It holds a random secret that
the records know by its hash, says nothing about who signed in, and opens what the token opens
that was typed; when that is revoked or ends, every browser of it is signed out. A browser sends
its cookie unasked, so what it writes is taken from pages of this site only: the guard sees to it.
"""

from __future__ import annotations

import re
import secrets
from typing import Any

from litestar.datastructures import Cookie

from okd_payload.controller.records import tokens
from okd_payload.controller.records.tokens import Token
from okd_payload.controller.surroundings import Surroundings
from okd_payload.web.access.tokens import hash_of, is_text_of, note_use

SESSION_SECONDS = 8 * 3600.0
"""A working day; who is still there signs in again."""
_FORM = re.compile(r"([0-9a-f]{12})\.[A-Za-z0-9_-]{43}")


async def open_session(surroundings: Surroundings, token: Token) -> str:
    """What the browser of whoever showed ``token`` is given to keep."""
    now = surroundings.clock.now()
    identity = secrets.token_hex(6)
    text = f"{identity}.{secrets.token_urlsafe(32)}"
    session = Token(
        id=identity,
        name=token.name,
        hash=hash_of(text),
        created=now,
        created_by=token.name,
        expires=now + SESSION_SECONDS,
        parent=token.id,
    )

    def unit(connection: Any) -> None:
        tokens.forget_sessions(connection, now=now)
        tokens.write(connection, session)

    await surroundings.database.write(unit)
    return text


async def recognise_session(surroundings: Surroundings, text: str) -> Token | None:
    """The valid token that the browser with this cookie signed in with; None for anything else."""
    session = await _find(surroundings, text)
    if session is None:
        return None
    now = surroundings.clock.now()
    parent = await surroundings.database.read(lambda unit: tokens.find(unit, session.parent))
    if parent is None or not session.is_valid(now) or not parent.is_valid(now):
        return None
    await note_use(surroundings, parent)
    return parent


async def close_session(surroundings: Surroundings, text: str) -> None:
    """Sign the browser with this cookie out; of an unknown one nothing has to be done."""
    session = await _find(surroundings, text)
    if session is not None:
        await surroundings.database.write(lambda unit: tokens.remove(unit, session.id))


async def _find(surroundings: Surroundings, text: str) -> Token | None:
    form = _FORM.fullmatch(text)
    if form is None:
        return None
    identity = form.group(1)
    found = await surroundings.database.read(lambda unit: tokens.find(unit, identity))
    if found is None or not found.parent or not is_text_of(found, text):
        return None
    return found


def session_cookie(text: str, *, encrypted: bool) -> Cookie:
    """The cookie that carries ``text``; without one, the cookie that takes it away."""
    return Cookie(
        key=cookie_name(encrypted=encrypted),
        value=text,
        max_age=int(SESSION_SECONDS) if text else 0,
        path="/",
        httponly=True,
        secure=encrypted,
        samesite="strict",
    )


def cookie_name(*, encrypted: bool) -> str:
    """Encrypted, a name that browsers take from this very host only, and encrypted only."""
    return "__Host-okd-payload" if encrypted else "okd-payload"
