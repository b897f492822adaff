# SPDX-License-Identifier: Apache-2.0
"""Errors as answers: what failed, on what, and what to do next.

Interfaces get JSON (RFC 9457), the old routes text as their clients know it, people a page. What
nobody foresaw is logged under a number; the answer has the number and nothing else.
"""

from __future__ import annotations

import logging
import secrets
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.enums import MediaType
from litestar.exceptions import HTTPException, NotFoundException

from okd_payload.errors import (
    InputError,
    NotFound,
    OkdPayloadError,
    RecordsUnavailable,
    UnknownName,
)

_log = logging.getLogger(__name__)

SAFE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
"""On every answer, errors too."""
JSON_BELOW = ("/api/", "/graph")
"""Paths of programs, who get no page whatever they say they take."""
NO_DATABASE = "the database cannot be used now: the log of the server says why"
PROBLEM_JSON = "application/problem+json"


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """An error as interfaces get it; the fields are those of RFC 9457, and ``hint`` is ours."""

    status: int
    title: str
    detail: str
    hint: str = ""


def problem_of(error: Exception) -> Problem:
    """What ``error`` is to whoever asked."""
    if isinstance(error, OkdPayloadError):
        status, title = _judge(error)
        detail = error.message
        if isinstance(error, RecordsUnavailable):  # it tells where the database is
            detail = NO_DATABASE
        return Problem(status=status, title=title, detail=detail, hint=error.hint)
    if isinstance(error, HTTPException):
        detail = error.detail or "the request cannot be answered"
        if isinstance(error, NotFoundException) and detail == HTTPStatus.NOT_FOUND.phrase:
            detail = "there is nothing at this address"
        extra = getattr(error, "extra", None)
        if extra == _NO_BODY:
            return Problem(
                status=error.status_code,
                title=_TITLES[400],
                detail="the request has no body",
                hint="send a JSON object: {} where nothing is to be said",
            )
        if isinstance(extra, list):  # what is wrong with which parameter
            told = [f"{each.get('key', '')}: {each.get('message', '')}" for each in extra]
            detail = "; ".join([detail, *told])
        return Problem(
            status=error.status_code, title=_TITLES.get(error.status_code, "error"), detail=detail
        )
    number = secrets.token_hex(4)
    _log.error("error %s: %s", number, type(error).__name__, exc_info=error)
    return Problem(
        status=500,
        title="internal error",
        detail=f"something nobody foresaw went wrong: error {number}",
        hint="please report it with that number, under which the log has the rest",
    )


_NO_BODY = [{"message": "'data'", "key": "data", "source": "body"}]
"""How the framework tells that it looked for a body in vain."""
_TITLES = {
    400: "bad request",
    401: "not logged in",
    403: "not permitted",
    404: "not found",
    405: "method not allowed",
    409: "conflict",
    412: "changed meanwhile",
    413: "too large",
    415: "unsupported media type",
    416: "range not satisfiable",
    429: "too many requests",
    503: "not available now",
}


def _judge(error: OkdPayloadError) -> tuple[int, str]:
    for kind, status in (
        (UnknownName, 404),
        (NotFound, 404),
        (InputError, 400),
        (RecordsUnavailable, 503),
    ):
        if isinstance(error, kind):
            return status, _TITLES[status]
    return 502, "something this depends on failed"


def headers_of(error: Exception, problem: Problem) -> dict[str, str]:
    """What programs and browsers are told beside the problem: what to show, when to come back."""
    later = {"Retry-After": "10"} if problem.status == 503 else {}
    return later | dict(getattr(error, "headers", None) or {})


def answer_error(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The answer to a request that ended in ``error``: JSON or text, as its path has it."""
    problem = problem_of(error)
    headers = SAFE_HEADERS | headers_of(error, problem)
    if request.url.path.startswith(JSON_BELOW):
        if isinstance(error, NotFoundException) and not problem.hint:
            problem = msgspec.structs.replace(problem, hint="GET /api/schema says what there is")
        content = msgspec.json.encode(problem)
        return Response(
            content, status_code=problem.status, media_type=PROBLEM_JSON, headers=headers
        )
    text = f"{problem.detail}\n{problem.hint}\n" if problem.hint else f"{problem.detail}\n"
    return Response(
        text.encode(), status_code=problem.status, media_type=MediaType.TEXT, headers=headers
    )
