# SPDX-License-Identifier: Apache-2.0
"""What the interface answers with beside what was asked for, for its description."""

from __future__ import annotations

from litestar.openapi import ResponseSpec

from okd_payload.web.problems import PROBLEM_JSON, Problem

_WORDS = {
    400: "What was asked for is wrong; the hint says how it would be right.",
    401: "This needs a token, or the token is not known.",
    403: "The token has not the role that this needs.",
    404: "There is no such thing.",
    409: "It cannot be done as things stand.",
    412: "It has changed since: If-Match names another state.",
    413: "The request is larger than any should be.",
    415: "The body is not JSON.",
    416: "The range begins where the file has ended; Content-Range says how long that is.",
    429: "Too many tokens were shown from there that open nothing; wait as Retry-After says.",
    503: "The database cannot be used now; try again as Retry-After says.",
}
_READING = (400, 401, 403, 404, 429, 503)


def _specify(statuses: tuple[int, ...]) -> dict[int, ResponseSpec]:
    return {
        status: ResponseSpec(
            data_container=Problem,
            description=_WORDS[status],
            generate_examples=False,
            media_type=PROBLEM_JSON,
        )
        for status in statuses
    }


READING = _specify(_READING)
"""What a route that only reads may answer besides."""
READING_RANGES = _specify((*_READING, 416)) | {
    206: ResponseSpec(
        data_container=str,
        description="The range that was asked for; Content-Range says which of the whole it is.",
        generate_examples=False,
        media_type="text/plain",
    )
}
"""The same for one of text that heeds the header ``Range``."""
WRITING = _specify((*_READING, 409, 412, 413, 415))
"""The same for one that changes something."""
