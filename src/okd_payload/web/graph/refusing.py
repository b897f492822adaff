# SPDX-License-Identifier: Apache-2.0
"""Errors as the Cincinnati protocol has them: JSON with a kind and a value, whatever went wrong."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response

from okd_payload.controller.graph.document import GraphError
from okd_payload.web.problems import SAFE_HEADERS, Problem, headers_of, problem_of

JSON = "application/json"
_INVALID = "invalid_params"
_BROKEN = "failed_upstream_fetch"
"""Of all that is wrong on this side: servers of this protocol have their graph from another."""


def refuse(status: int, kind: str, value: str) -> Response[bytes]:
    """The answer to a request that has no graph."""
    content = msgspec.json.encode(GraphError(kind=kind, value=value))
    return Response(content, status_code=status, media_type=JSON)


def refuse_parameter(value: str) -> Response[bytes]:
    """The answer to a request with a parameter that cannot be."""
    return refuse(400, _INVALID, f"invalid client parameters: {value}")


def answer_error(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The answer to a request that ended in ``error``."""
    del request
    problem = problem_of(error)
    value = f"{problem.detail}: {problem.hint}" if problem.hint else problem.detail
    answer = refuse(problem.status, _kind_of(problem), value)
    answer.headers.update(SAFE_HEADERS | headers_of(error, problem))
    return answer


def _kind_of(problem: Problem) -> str:
    if problem.status >= 500:
        return _BROKEN
    return _INVALID if problem.status == 400 else problem.title.replace(" ", "_")
