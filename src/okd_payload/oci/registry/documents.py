# SPDX-License-Identifier: Apache-2.0
"""Documents that are no part of any repository: update graphs, signatures, stream files.

They go through the registry client's connections, so certificates, proxies, patience and bounds
are the same as for images. Nobody is logged in: whoever serves such documents serves them to
everybody, and a password for a registry is not for somebody else's web server. Where a server
knows people by a token, the caller hands it over, and it goes to that server alone. Addresses may
be signed, so messages leave their queries away.
"""

from __future__ import annotations

from yarl import URL

from okd_payload.errors import (
    InputError,
    NotFound,
    RegistryError,
    RegistryRefused,
    Unauthorized,
)
from okd_payload.oci.documents import DocumentAnswer
from okd_payload.oci.registry import responses, urls
from okd_payload.oci.registry.headers import parse_retry_after
from okd_payload.oci.registry.http.pool import Response
from okd_payload.oci.registry.retry import Patience, Transient
from okd_payload.oci.registry.transport import Transport

MAX_DOCUMENT_BYTES = 64 * 1024 * 1024
"""Bound on a document where the caller states none."""

_MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_ABSENT = frozenset({404, 410})


async def fetch_document(
    text: str, *, transport: Transport, limit: int = MAX_DOCUMENT_BYTES, token: str = ""
) -> bytes:
    """The document at the address ``text``, whole; ``token`` says who asks for it.

    Raises InputError when it is no address of http or https, NotFound when nothing is there,
    TooLarge beyond ``limit`` bytes, and other errors of registries.
    """
    url = parse_url(text)
    settings = transport.settings
    what = f"reading {url.with_query(None)}"
    patience = Patience(what, clock=transport.clock, deadline=settings.deadline)
    answered = False
    while True:
        try:
            response = await _follow(url, transport, what, token)
            answered = True
            return await _read(response, transport, what=what, limit=limit)
        except Transient as trouble:
            hopeful = answered and not trouble.doubtful
            await patience.endure(trouble, deadline=None if hopeful else settings.doubtful_deadline)


async def ask_document(text: str, *, transport: Transport, limit: int) -> DocumentAnswer:
    """What the server says to one request for ``text``, whatever it is; nothing is tried again.

    Raises InputError when it is no address of http or https, TooLarge beyond ``limit`` bytes,
    and RegistryError when there is no answer.
    """
    url = parse_url(text)
    response = await _follow(url, transport, f"reading {url.with_query(None)}", "")
    try:
        return DocumentAnswer(response.status, await transport.read(response, limit=limit))
    finally:
        response.release()


def parse_url(text: str) -> URL:
    """``text`` as an address that may be fetched. Raises InputError."""
    try:
        url = URL(text)
        fit = url.scheme in ("http", "https") and bool(url.host) and not url.user
    except ValueError:
        fit = False
    if not fit:
        raise InputError(
            f"{text.partition('?')[0][:200]!r} is no address of a document",
            hint="write https://HOST/PATH, without a user's name in it",
        )
    return url


async def _follow(url: URL, transport: Transport, what: str, token: str) -> Response:
    known_at = url.origin()
    for _ in range(_MAX_REDIRECTS + 1):
        headers = {"Accept": "*/*"}
        if token and url.origin() == known_at:
            headers["Authorization"] = f"Bearer {token}"
        response = await transport.send("GET", url, headers=headers)
        if response.status not in _REDIRECTS:
            return response
        response.release()
        location = response.headers.get("Location", "")
        url = urls.resolve(location, base=response.url, settings=transport.settings)
    raise RegistryRefused(
        f"{what}: the server redirects more than {_MAX_REDIRECTS} times",
        hint="the server, or a proxy before it, is set up wrongly",
    )


async def _read(response: Response, transport: Transport, *, what: str, limit: int) -> bytes:
    try:
        if response.status == 200:
            return await transport.read(response, limit=limit)
        raise _judge(response, what, now=transport.clock.now())
    finally:
        response.release()


def _judge(response: Response, what: str, *, now: float) -> RegistryError:
    """The error for an answer without the document."""
    problem = responses.Problem(response.status)
    if problem.is_transient:
        wait = parse_retry_after(response.headers.get("Retry-After", ""), now=now)
        doubtful = problem.status == 500
        return Transient(f"the server answers {problem}", retry_after=wait, doubtful=doubtful)
    message = f"{what}: the server answers {problem}"
    if problem.status in _ABSENT:
        return NotFound(message, hint="check the address")
    if problem.status in (401, 403):
        return Unauthorized(message, hint="nobody is logged in here: check who may read it")
    return RegistryRefused(message, hint="check the address")
