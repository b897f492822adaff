# SPDX-License-Identifier: Apache-2.0
"""Talking to the interfaces of other servers: what an answer means, and how often to ask.

A server that fails or asks for patience says nothing of a run. It is left alone for as long as it
wishes, for all runs together, and the reason stands beside the runs meanwhile.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from okd_payload.clock import Clock
from okd_payload.errors import ContentError, RegistryRefused, RegistryUnavailable, Unauthorized
from okd_payload.oci.web_requests import WebAnswer, WebAsker, WebRequest

Document = TypeVar("Document")

MAX_ANSWER = 4 * 1024 * 1024
_PATIENCE_SECONDS = 60.0
_MOST_PATIENCE = 3600.0
_MAX_WORDS = 300


class PatientWeb:
    """Asks servers, and leaves those alone that ask for it."""

    def __init__(self, web: WebAsker, clock: Clock) -> None:
        self._web = web
        self._clock = clock
        self._not_before: dict[str, float] = {}

    async def ask(self, request: WebRequest, *, limit: int = MAX_ANSWER) -> WebAnswer:
        """A good answer, or one that refuses (4xx).

        Raises TooLarge beyond ``limit`` bytes, and RegistryUnavailable when the server cannot
        answer now, or is left alone.
        """
        server = origin_of(request.url)
        left = self._not_before.get(server, 0.0) - self._clock.monotonic()
        if left > 0:
            raise RegistryUnavailable(f"{server} asked for patience: {left:.0f} s are left")
        answer = await self._web.ask_web(request, limit=limit)
        if answer.status >= 500 or _is_throttled(answer):
            pause = self._pause(answer)
            self._not_before[server] = self._clock.monotonic() + pause
            raise RegistryUnavailable(
                f"{server} answers {answer.status}: asking again in {pause:.0f} s"
            )
        return answer

    def _pause(self, answer: WebAnswer) -> float:
        """How long to leave the server alone; a server that is broken says nothing of that."""
        try:
            if after := answer.headers.get("retry-after"):
                seconds = float(after)
            elif reset := answer.headers.get("x-ratelimit-reset"):
                seconds = float(reset) - self._clock.now()
            else:
                seconds = _PATIENCE_SECONDS if answer.status < 500 else _PATIENCE_SECONDS / 4
        except ValueError:
            seconds = _PATIENCE_SECONDS
        return min(max(seconds, 1.0), _MOST_PATIENCE)


def origin_of(url: str) -> str:
    """Scheme and host of ``url``: whom one speaks to."""
    scheme, _, rest = url.partition("://")
    host = rest.replace("\\", "/").partition("/")[0].partition("?")[0].partition("#")[0]
    return f"{scheme}://{host}".lower()


def read_answer(answer: WebAnswer, kind: type[Document], what: str) -> Document:
    """What a good answer says.

    Raises Unauthorized and RegistryRefused for one that refuses, ContentError for one that says
    something else.
    """
    require_good(answer, what)
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ContentError(f"{what}: the answer cannot be read: {error}") from error


def require_good(answer: WebAnswer, what: str) -> None:
    """Return for a good answer. Raises Unauthorized and RegistryRefused."""
    if answer.good:
        return
    words = " ".join(answer.body.decode(errors="replace").split())[:_MAX_WORDS]
    message = f"{what}: the server answers {answer.status} {words}".rstrip()
    if answer.status in (401, 403):
        raise Unauthorized(message, hint="check the secret that the verification names")
    raise RegistryRefused(message, hint="check the settings of the verification")


def _is_throttled(answer: WebAnswer) -> bool:
    if answer.status == 429:
        return True
    spent = answer.headers.get("x-ratelimit-remaining") == "0"
    return answer.status == 403 and (spent or "retry-after" in answer.headers)
