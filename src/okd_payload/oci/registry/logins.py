# SPDX-License-Identifier: Apache-2.0
"""The credentials of this user, looked up once: auth files read, helpers asked, both remembered.

Nothing is read before a registry asks for a login, so public images need no auth file at all.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from okd_payload.oci.registry.credentials import (
    AuthFile,
    Credential,
    HelperCall,
    read_auth_files,
)
from okd_payload.oci.registry.helpers import ask_helper


class Logins:
    """Finds the credential for each repository."""

    def __init__(self, auth_file: Path | None) -> None:
        self._auth_file = auth_file
        self._files: list[AuthFile] | None = None
        self._answers: dict[HelperCall, Credential | None] = {}
        self._lock = asyncio.Lock()

    async def find(self, host: str, path: str) -> Credential | None:
        """The credential for ``host/path``, None for anonymous access.

        Raises InvalidDocument when an auth file is damaged.
        """
        async with self._lock:
            if self._files is None:
                self._files = await asyncio.to_thread(read_auth_files, self._auth_file)
            for file in self._files:
                found = file.find(host, path)
                credential = await self._ask(found) if isinstance(found, HelperCall) else found
                if credential:
                    return credential
        return None

    async def _ask(self, call: HelperCall) -> Credential | None:
        if call not in self._answers:
            self._answers[call] = await ask_helper(call)
        return self._answers[call]
