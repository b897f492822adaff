# SPDX-License-Identifier: Apache-2.0
"""Sending messages to addresses that others have named, and to no network of ours.

The name is resolved once, every address that it has is judged, and the connection goes to one of
exactly these: a name that means something else a moment later leads nowhere. Proxies of the
environment are left alone, because they would resolve the name anew. Names are looked up in
threads of their own: a name server that keeps silent holds up nobody who reads files meanwhile.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import ipaddress
import socket
from collections.abc import Callable, Sequence

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from okd_payload.errors import InputError, RegistryUnavailable
from okd_payload.oci.messages import OutgoingMessage

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
LookUp = Callable[[str, int], Sequence[Address]]
"""Gives the addresses of a host with its port. Raises OSError and UnicodeError."""
_SECONDS = 10.0
_HINT = "check the address, and whether the server is up"
_LOOK_UPS = 16
"""Names that are looked up at a time."""
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class PinnedMessenger:
    """Implements ``Messenger``."""

    def __init__(self, look_up: LookUp | None = None) -> None:
        self._look_up = look_up or _resolve
        self._threads = concurrent.futures.ThreadPoolExecutor(_LOOK_UPS, "names")

    async def send(self, message: OutgoingMessage, *, allowed: Sequence[str]) -> int:
        """The status of the answer. Raises InputError and RegistryError."""
        url = parse_target(message.url)
        host = url.host or ""
        try:
            async with asyncio.timeout(_SECONDS):
                addresses = await asyncio.get_running_loop().run_in_executor(
                    self._threads, self._look_up, host, url.port or 443
                )
                for address in addresses:
                    require_allowed(address, allowed, host=host)
                return await _post(url, message, addresses)
        except TimeoutError as error:
            words = f"{host} does not answer within {_SECONDS:.0f} s"
            raise RegistryUnavailable(words, hint=_HINT) from error
        except (aiohttp.ClientError, OSError) as error:
            raise RegistryUnavailable(
                f"{host} does not answer: {str(error) or type(error).__name__}", hint=_HINT
            ) from error
        except UnicodeError as error:
            raise _no_address(host) from error


def parse_target(text: str) -> URL:
    """The address that messages may be sent to. Raises InputError."""
    try:
        url = URL(text)
        (url.host or "").encode("idna")
    except ValueError as error:  # of which the UnicodeError of an impossible name is one
        raise _no_address(text) from error
    if url.scheme not in {"http", "https"} or not url.host or url.user or url.password:
        raise InputError(
            f"{url.host or 'this'} is no address to send to",
            hint="write https://HOST/PATH, without a name or password in it",
        )
    return url


def _no_address(text: str) -> InputError:
    return InputError(f"{text!r} is no address", hint="write https://HOST/PATH")


def require_allowed(address: Address, allowed: Sequence[str], *, host: str) -> None:
    """Return for an address that is public or in one of ``allowed``. Raises InputError."""
    meant = _meant(address)
    if any(meant in ipaddress.ip_network(network, strict=False) for network in allowed):
        return
    if meant.is_global and not meant.is_multicast:
        return
    raise InputError(
        f"{host} is at {address}, in a network that nothing is sent to",
        hint="allow the network in the settings of the site, webhooks.allowedNetworks",
    )


def _meant(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one, where there is one."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _resolve(host: str, port: int) -> list[Address]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    texts = {str(each[4][0]).partition("%")[0] for each in found}
    return [ipaddress.ip_address(text) for text in sorted(texts)]


class _Pinned(AbstractResolver):
    """Knows one name."""

    def __init__(self, addresses: Sequence[Address]) -> None:
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses that were judged."""
        del family
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=socket.AF_INET if address.version == 4 else socket.AF_INET6,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in self._addresses
        ]

    async def close(self) -> None:
        """Nothing is open."""


async def _post(url: URL, message: OutgoingMessage, addresses: Sequence[Address]) -> int:
    connector = aiohttp.TCPConnector(resolver=_Pinned(addresses), use_dns_cache=False)
    async with (
        aiohttp.ClientSession(connector=connector, trust_env=False) as session,
        session.post(
            url, data=message.body, headers=dict(message.headers), allow_redirects=False
        ) as answer,
    ):
        return answer.status
