# SPDX-License-Identifier: Apache-2.0
"""One sentence on the page after something was done, said once.

It travels as a word in a cookie of that page alone, which is taken away when it is said. Only
sentences of our own are said: whatever else such a cookie holds is nothing.
"""

from __future__ import annotations

from typing import Any

from litestar import Request
from litestar.datastructures import Cookie

from okd_payload.web.pages.deeds import ON_RELEASES, ON_RUNS, ON_STREAMS, ON_WEBHOOKS

_COOKIE = "okd-payload-done"
_SECONDS = 30
_DONE = {deed.word: deed.done for deed in (*ON_RELEASES, *ON_STREAMS, *ON_RUNS, *ON_WEBHOOKS)}


def said(request: Request[Any, Any, Any]) -> str:
    """The sentence about what was just done; empty where nothing was."""
    return _DONE.get(request.cookies.get(_COOKIE, ""), "")


def done_cookie(word: str, path: str) -> Cookie:
    """What lets the page at ``path`` say that ``word`` is done; without a word, no more."""
    return Cookie(
        key=_COOKIE,
        value=word,
        path=path,
        max_age=_SECONDS if word else 0,
        httponly=True,
        samesite="strict",
    )
