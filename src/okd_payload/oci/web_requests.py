# SPDX-License-Identifier: Apache-2.0
"""The seam to interfaces of web servers: any method, with headers, and the answer as it is.

``documents`` is for what lies somewhere, ``messages`` for telling others without listening; this
is for servers that we were told to work with, whose answers decide what comes next. Each request
is sent once: whether it may be sent again only the caller knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec


class WebRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request."""

    method: str = "GET"
    url: str
    headers: Mapping[str, str] = {}
    body: bytes = b""


class WebAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the server said."""

    status: int
    headers: Mapping[str, str] = {}
    """By names in small letters."""
    body: bytes = b""

    @property
    def good(self) -> bool:
        """Whether it did what was asked."""
        return 200 <= self.status < 300


class WebAsker(Protocol):
    """Asks web servers; ``RegistryClient`` does, and ``testing.MemoryWeb`` is the twin."""

    async def ask_web(self, request: WebRequest, *, limit: int) -> WebAnswer:
        """The answer to ``request``, whatever its status; redirects are not followed.

        Raises InputError when its address is none of http or https, TooLarge beyond ``limit``
        bytes, and RegistryError when no answer came.
        """
        ...
