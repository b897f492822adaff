# SPDX-License-Identifier: Apache-2.0
"""Putting documents on web servers: WebDAV folders, S3-compatible buckets, and others with PUT.

A document is only added, never replaced: ``If-None-Match: *`` asks the server to refuse when
something is there, and servers that know no such condition are asked before. A bearer token goes
to the server that was named and, because redirects of PUT are not followed, to nobody else.
"""

from __future__ import annotations

from yarl import URL

from okd_payload.errors import (
    InputError,
    NotFound,
    RegistryError,
    RegistryRefused,
    TooLarge,
    Unauthorized,
)
from okd_payload.oci.registry import responses
from okd_payload.oci.registry.documents import parse_url
from okd_payload.oci.registry.headers import parse_retry_after
from okd_payload.oci.registry.http.pool import Response
from okd_payload.oci.registry.proxies import is_loopback
from okd_payload.oci.registry.retry import Patience, Transient
from okd_payload.oci.registry.settings import RegistrySettings, lists_host
from okd_payload.oci.registry.transport import Transport

_MAX_PROBLEM = 64 * 1024
_STORED = frozenset({200, 201, 202, 204})
_TAKEN = frozenset({409, 412})


async def put_document(text: str, content: bytes, *, transport: Transport, token: str = "") -> bool:
    """Store ``content`` at the address ``text``; False when something is there already.

    Raises InputError when it is no address of http or https, or ``token`` would go there in the
    clear, and errors of registries.
    """
    url = parse_url(text)
    what = f"writing {url.with_query(None)}"
    headers = {"Content-Type": "application/octet-stream", "If-None-Match": "*"}
    if token:
        _require_secrecy(url, transport.settings)
        headers["Authorization"] = f"Bearer {token}"
    patience = Patience(what, clock=transport.clock, deadline=transport.settings.deadline)
    while True:
        try:
            response = await transport.send("PUT", url, headers=headers, body=content)
            try:
                if response.status in _TAKEN:
                    return False
                if response.status in _STORED:
                    return True
                raise await _judge(response, transport, what)
            finally:
                response.release()
        except Transient as trouble:
            await patience.endure(trouble, deadline=transport.settings.doubtful_deadline)


def _require_secrecy(url: URL, settings: RegistrySettings) -> None:
    """Raise InputError where a token would go through a network in the clear."""
    host = url.host_port_subcomponent or ""
    allowed = is_loopback(url.host or "") or lists_host(settings.plain_http_hosts, host)
    if url.scheme == "http" and not allowed:
        raise InputError(
            f"the token for {host} would go there in the clear",
            hint=f"write https://, or allow it: --plain-http {host}",
        )


async def _judge(response: Response, transport: Transport, what: str) -> RegistryError:
    """The error for an answer that says no."""
    try:
        body = await transport.read(response, limit=_MAX_PROBLEM)
    except (Transient, TooLarge):
        body = b""
    problem = responses.read_problem(response.status, body)
    if problem.is_transient:
        wait = parse_retry_after(response.headers.get("Retry-After", ""), now=transport.clock.now())
        return responses.transient(problem, retry_after=wait)
    message = f"{what}: the server answers {problem}"
    if problem.status in (401, 403):
        return Unauthorized(message, hint="name a file with a token that may write there")
    if problem.status == 404:
        return NotFound(message, hint="does the folder, or the bucket, exist?")
    return RegistryRefused(message, hint="the server must take PUT requests at this address")
