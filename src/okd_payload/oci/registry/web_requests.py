# SPDX-License-Identifier: Apache-2.0
"""Requests to interfaces of web servers, over the connections that images go over.

What the caller wants to be secret it puts into headers, and those are not sent in the clear but
to this machine, or where plain HTTP was allowed for the host.
"""

from __future__ import annotations

from okd_payload.errors import InputError
from okd_payload.oci.registry.documents import parse_url
from okd_payload.oci.registry.proxies import is_loopback
from okd_payload.oci.registry.settings import lists_host
from okd_payload.oci.registry.transport import Transport
from okd_payload.oci.web_requests import WebAnswer, WebRequest

_SECRET = frozenset({"authorization"})


async def ask_web(request: WebRequest, *, transport: Transport, limit: int) -> WebAnswer:
    """The answer to ``request``. Raises InputError, TooLarge and RegistryError."""
    url = parse_url(request.url)
    host = url.host_port_subcomponent or ""
    is_safe = (
        url.scheme == "https"
        or is_loopback(url.host or "")
        or lists_host(transport.settings.plain_http_hosts, host)
    )
    if not is_safe and any(name.lower() in _SECRET for name in request.headers):
        raise InputError(
            f"the token for {host} would go there in the clear",
            hint=f"write https://, or allow it: --plain-http {host}",
        )
    body = request.body or None
    response = await transport.send(request.method, url, headers=request.headers, body=body)
    try:
        return WebAnswer(
            status=response.status,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=await transport.read(response, limit=limit),
        )
    finally:
        response.release()
