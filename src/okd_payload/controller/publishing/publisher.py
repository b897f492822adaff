# SPDX-License-Identifier: Apache-2.0
"""The seam between deciding what is published and whoever brings it to its place."""

from __future__ import annotations

from typing import Protocol

import msgspec

from okd_payload.controller.configuration.model import PublishAction, StreamConfiguration
from okd_payload.controller.model import Release
from okd_payload.oci.documents import DocumentAnswer


class PublishContext(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a publisher needs to know."""

    configuration: StreamConfiguration
    action: PublishAction
    release: Release
    replaces: str = ""
    """The release that stands there until now; empty for none."""
    restores: bool = False
    """Whether it is a roll-back."""


class Publisher(Protocol):
    """Publishes releases in ways of one kind."""

    async def publish(self, context: PublishContext) -> str:
        """Bring the release to its place, or find it there: a kill may have come between.

        Returns where it is now, for people. Raises OkdPayloadError when something is left to do;
        the same call goes on with it.
        """
        ...


class Documents(Protocol):
    """Web servers that signatures are read from and put to."""

    async def fetch_document(self, url: str, *, limit: int, token: str = "") -> bytes:
        """What a web server has at ``url``. Raises RegistryError."""
        ...

    async def ask_document(self, url: str, *, limit: int) -> DocumentAnswer:
        """What a web server says about ``url``, asked once. Raises RegistryError."""
        ...

    async def put_document(self, url: str, content: bytes, *, token: str = "") -> bool:
        """Store ``content``; False when something is there. Raises RegistryError."""
        ...
