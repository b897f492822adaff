# SPDX-License-Identifier: Apache-2.0
"""Bearer tokens from a token server, by both protocols of distribution.

GET with Basic for a password (or nothing, for anonymous access), POST with a refresh token for
an identity token; a server that does not know the GET is asked by POST with the password. The
server's address comes from the registry, so credentials only go there over TLS, unless the
registry itself is spoken to without.
"""

from __future__ import annotations

import re

import msgspec
from yarl import URL

from okd_payload.errors import ContentError, RegistryError, RegistryRefused, Unauthorized
from okd_payload.oci.foreign_json import decode_json
from okd_payload.oci.registry import responses
from okd_payload.oci.registry.access import Access, format_scopes
from okd_payload.oci.registry.authorization import Token
from okd_payload.oci.registry.challenge import Challenge
from okd_payload.oci.registry.credentials import Credential, Secret
from okd_payload.oci.registry.headers import parse_retry_after
from okd_payload.oci.registry.transport import Transport

_CLIENT = "okd-payload"
_DEFAULT_SECONDS = 60
_MARGIN_SECONDS = 30.0
_MAX_ANSWER_BYTES = 1024 * 1024
_SENDABLE = re.compile(r"[\x21-\x7e]+")
_NO_SUCH_METHOD = frozenset({404, 405})


class _Answer(msgspec.Struct, frozen=True):
    token: str = ""
    access_token: str = ""
    expires_in: int | float = _DEFAULT_SECONDS
    refresh_token: str = ""


class TokenServer:
    """Fetches the tokens for one registry."""

    def __init__(self, registry: str, *, transport: Transport) -> None:
        self._registry = registry
        self._transport = transport
        self._refresh_tokens: dict[str, Secret] = {}
        self.allow_plain_http = False
        """Set while the registry itself is spoken to over plain http."""

    async def fetch(
        self, challenge: Challenge, access: Access, credential: Credential | None
    ) -> Token:
        """A new token. Raises Unauthorized, Transient or RegistryRefused."""
        realm = self._realm(challenge)
        began = self._transport.clock.monotonic()
        query = [("scope", scope) for scope in format_scopes(access)]
        if service := challenge.parameters.get("service"):
            query.insert(0, ("service", service))
        if credential and credential.identity_token:
            answer = await self._post(realm, query, credential)
        else:
            answer = await self._get(realm, query, credential)
        return self._token(realm, answer, access, began)

    def _realm(self, challenge: Challenge) -> URL:
        text = challenge.parameters.get("realm", "")
        try:
            realm = URL(text)
        except ValueError:
            realm = URL()
        if realm.host and not realm.user:
            if realm.scheme == "https" or (realm.scheme == "http" and self.allow_plain_http):
                return realm
            if realm.scheme == "http":
                raise RegistryRefused(
                    f"{self._registry} sends logins to {realm.host} without encryption",
                    hint="credentials are not sent over plain http; the registry must name an "
                    "https address",
                )
        raise RegistryRefused(
            f"{self._registry} names no token server: {responses.printable(text)!r}",
            hint="the registry's WWW-Authenticate header must have a realm that is a URL",
        )

    async def _get(
        self, realm: URL, query: list[tuple[str, str]], credential: Credential | None
    ) -> _Answer:
        headers = {}
        if credential:
            headers["Authorization"] = credential.basic.reveal()
            query = [("account", credential.username), *query]
        status, answer = await self._ask(
            "GET", realm.extend_query(query), headers=headers, credential=credential
        )
        if status in _NO_SUCH_METHOD and credential:
            return await self._post(realm, query, credential)
        return self._accepted(realm, status, answer)

    async def _post(
        self, realm: URL, query: list[tuple[str, str]], credential: Credential
    ) -> _Answer:
        scopes = " ".join(value for name, value in query if name == "scope")
        form = {name: value for name, value in query if name == "service"}
        form |= {"scope": scopes, "client_id": _CLIENT}
        if credential.identity_token:
            kept = self._refresh_tokens.get(credential.source, credential.identity_token)
            form |= {"grant_type": "refresh_token", "refresh_token": kept.reveal()}
        else:
            form |= {
                "grant_type": "password",
                "username": credential.username,
                "password": credential.password.reveal(),
            }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        body = URL().with_query(form).raw_query_string.encode()
        status, content = await self._ask(
            "POST", realm, headers=headers, body=body, credential=credential
        )
        answer = self._accepted(realm, status, content)
        if credential.identity_token and answer.refresh_token:
            self._refresh_tokens[credential.source] = Secret(answer.refresh_token)
        return answer

    async def _ask(
        self,
        method: str,
        url: URL,
        *,
        headers: dict[str, str],
        body: bytes | None = None,
        credential: Credential | None,
    ) -> tuple[int, bytes]:
        """Status and body of an answer that is worth reading. Raises Transient, Unauthorized."""
        response = await self._transport.send(method, url, headers=headers, body=body)
        try:
            content = await self._transport.read(response, limit=_MAX_ANSWER_BYTES)
        finally:
            response.release()
        problem = responses.read_problem(response.status, content)
        if problem.is_transient:
            now = self._transport.clock.now()
            retry_after = parse_retry_after(response.headers.get("Retry-After", ""), now=now)
            raise responses.transient(problem, retry_after=retry_after)
        if problem.status in (400, 401, 403):
            raise self._refused(url, problem, credential)
        return response.status, content

    def _refused(
        self, url: URL, problem: responses.Problem, credential: Credential | None
    ) -> RegistryError:
        who = f"the credentials of {credential.source}" if credential else "anonymous access"
        return Unauthorized(
            f"{url.host}, which logs in to {self._registry}, refuses {who}: {problem}",
            hint=f"log in again: `podman login {self._registry}`",
        )

    def _accepted(self, realm: URL, status: int, content: bytes) -> _Answer:
        try:
            if status == 200:
                return decode_json(content, _Answer, what="token")
        except ContentError:
            pass  # Said below, without the decoder's words: they may quote the token.
        raise RegistryRefused(
            f"{realm.host}, which logs in to {self._registry}, gives no token (status {status})",
            hint="the token server is not working as its registry expects",
        )

    def _token(self, realm: URL, answer: _Answer, access: Access, began: float) -> Token:
        text = answer.token or answer.access_token
        if not _SENDABLE.fullmatch(text):
            raise RegistryRefused(
                f"{realm.host}, which logs in to {self._registry}, gives no usable token",
                hint="the token server is not working as its registry expects",
            )
        lifetime = max(1.0, float(answer.expires_in or _DEFAULT_SECONDS))
        return Token(
            secret=Secret(f"Bearer {text}"),
            access=access,
            renew_at=began + lifetime - min(_MARGIN_SECONDS, lifetime / 4),
        )
