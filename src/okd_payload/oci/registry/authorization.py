# SPDX-License-Identifier: Apache-2.0
"""What to put into ``Authorization`` for one registry.

Nothing is sent until the registry asked; what it asked for once is sent unasked from then on.
Tokens are kept per repository and renewed shortly before they end. Tasks that need the same
token wait for one of them to fetch it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

import msgspec

from okd_payload.clock import Clock
from okd_payload.errors import Unauthorized
from okd_payload.oci.registry.access import Access, parse_scopes
from okd_payload.oci.registry.challenge import Challenge
from okd_payload.oci.registry.credentials import Credential, Secret


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A bearer token, what it allows and when it has to be renewed (monotonic seconds)."""

    secret: Secret
    access: Access
    renew_at: float


class CredentialSource(Protocol):
    """Where credentials come from."""

    async def find(self, host: str, path: str) -> Credential | None:
        """The credential for the repository, None for anonymous access."""
        ...


class TokenSource(Protocol):
    """Where bearer tokens come from."""

    async def fetch(
        self, challenge: Challenge, access: Access, credential: Credential | None
    ) -> Token:
        """A new token. Raises Unauthorized, Transient or RegistryRefused."""
        ...


class Authorizer:
    """The way to log in to one registry, learnt from its answers."""

    def __init__(
        self, host: str, *, credentials: CredentialSource, tokens: TokenSource, clock: Clock
    ) -> None:
        self._host = host
        self._credentials = credentials
        self._source = tokens
        self._clock = clock
        self._challenge: Challenge | None = None
        self._tokens: dict[str, list[Token]] = {}
        self._locks: dict[tuple[str, Access], asyncio.Lock] = {}

    async def authorization(self, path: str, access: Access) -> Secret | None:
        """The header for a request to the repository at ``path``, None for no header."""
        if self._challenge is None:
            return None
        if self._challenge.scheme == "basic":
            credential = await self._credentials.find(self._host, path)
            return credential.basic if credential else None
        return await self._bearer(path, access, self._challenge)

    async def renewed(
        self, path: str, access: Access, *, challenges: Sequence[Challenge], refused: Secret | None
    ) -> Secret | None:
        """The header after an answer of 401 to ``refused``; None when there is no other."""
        supported = {item.scheme: item for item in reversed(challenges)}
        challenge = supported.get("bearer") or supported.get("basic")
        if challenge is None:
            return None
        self._challenge = challenge
        if challenge.scheme == "basic":
            again = await self.authorization(path, access)
            known = refused.reveal() if refused else None
            return again if again and again.reveal() != known else None
        kept = self._tokens.get(path, [])
        self._tokens[path] = [token for token in kept if token.secret is not refused]
        wanted = access | parse_scopes(challenge.parameters.get("scope", ""))
        return await self._bearer(path, wanted, challenge)

    async def login_hint(self, path: str) -> str:
        """What somebody can do who was refused."""
        credential = await self._credentials.find(self._host, path)
        if credential:
            return (
                f"the credentials of {credential.source} were used: have they expired, "
                f"and may they do this to {self._host}/{path}?"
            )
        return (
            f"no credentials were found for {self._host}/{path}: `podman login {self._host}`, "
            "or name an auth file with --registry-config"
        )

    async def _bearer(self, path: str, access: Access, challenge: Challenge) -> Secret:
        lock = self._locks.setdefault((path, access), asyncio.Lock())
        async with lock:
            token = self._kept(path, access)
            if token is None:
                credential = await self._credentials.find(self._host, path)
                token = await self._source.fetch(challenge, access, credential)
                self._keep(path, token)
        return token.secret

    def _kept(self, path: str, access: Access) -> Token | None:
        now = self._clock.monotonic()
        for token in self._tokens.get(path, []):
            if access <= token.access and now < token.renew_at:
                return token
        return None

    def _keep(self, path: str, token: Token) -> None:
        others = self._tokens.get(path, [])
        self._tokens[path] = [token, *(kept for kept in others if not kept.access <= token.access)]


def unsupported_login(host: str, challenges: Sequence[Challenge]) -> Unauthorized:
    """The error for a registry that only takes what we do not speak."""
    schemes = ", ".join(sorted({item.scheme for item in challenges})) or "nothing"
    return Unauthorized(
        f"{host} wants a login of the kind {schemes}",
        hint="basic and bearer logins are supported; is this a registry?",
    )
