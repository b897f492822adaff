# SPDX-License-Identifier: Apache-2.0
"""Web servers that are a function: the twin of ``oci.web_requests.WebAsker``."""

from __future__ import annotations

from collections.abc import Callable

from okd_payload.errors import RegistryError, TooLarge
from okd_payload.oci.web_requests import WebAnswer, WebRequest


class MemoryWeb:
    """Answers requests by a function, and remembers them."""

    def __init__(self, answer: Callable[[WebRequest], WebAnswer]) -> None:
        self.answer = answer
        self.requests: list[WebRequest] = []
        self.troubles: list[WebAnswer | RegistryError] = []
        """What the next requests get in place of an answer, the first of them first."""

    async def ask_web(self, request: WebRequest, *, limit: int) -> WebAnswer:
        """What the function says. Raises TooLarge beyond ``limit`` bytes."""
        self.requests.append(request)
        trouble = self.troubles.pop(0) if self.troubles else None
        if isinstance(trouble, RegistryError):
            raise trouble
        answer = trouble or self.answer(request)
        if len(answer.body) > limit:
            raise TooLarge(f"{request.url} answers with more than {limit} bytes")
        return answer
