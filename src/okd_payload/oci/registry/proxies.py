# SPDX-License-Identifier: Apache-2.0
"""Which proxy, if any, stands between us and a host: ``HTTPS_PROXY``, ``HTTP_PROXY``, ``NO_PROXY``.

Read as the Go programs of the field read them, because users set the variables once for all:
lower case names count first, ``NO_PROXY`` may hold domains, addresses, networks and ports, and
the loopback network is never reached through a proxy.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping

from yarl import URL

from okd_payload.errors import InputError

_PORTS = {"http": 80, "https": 443}
_PORTED = re.compile(r"(\[[^\]]*\]|[^:\[\]]*):([0-9]{1,5})")


class Proxies:
    """The proxy variables of one environment."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._urls = {
            scheme: _parse(scheme, text)
            for scheme in _PORTS
            if (text := _variable(environment, f"{scheme}_proxy"))
        }
        self._exceptions = _variable(environment, "no_proxy").replace(" ", ",").split(",")

    def find(self, url: URL) -> URL | None:
        """The proxy for ``url``, None for a direct connection."""
        proxy = self._urls.get(url.scheme)
        host = url.host or ""
        if proxy is None or is_loopback(host):
            return None
        port = url.port or _PORTS[url.scheme]
        direct = any(_excepts(entry.strip().lower(), host, port) for entry in self._exceptions)
        return None if direct else proxy


def is_loopback(name: str) -> bool:
    """Whether ``name``, without a port, is this machine."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    address = _address(name)
    return address is not None and address.is_loopback


def _variable(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name) or environment.get(name.upper()) or ""


def _parse(scheme: str, text: str) -> URL:
    name = f"{scheme.upper()}_PROXY"
    try:
        url = URL(text if "://" in text else f"http://{text}")
    except ValueError:
        raise InputError(f"{name} is not a URL", hint="write http://HOST:PORT") from None
    if url.scheme not in _PORTS or not url.host:
        raise InputError(
            f"{name} names a proxy of the kind {url.scheme!r}, which is not supported",
            hint="write http://HOST:PORT or https://HOST:PORT",
        )
    return url


def _excepts(entry: str, host: str, port: int) -> bool:
    """Whether one entry of NO_PROXY covers the host."""
    if not entry:
        return False
    if entry == "*":
        return True
    if ported := _PORTED.fullmatch(entry):
        entry, entry_port = ported.groups()
        if int(entry_port) != port:
            return False
    address = _address(host)
    if address is not None:
        network = _network(entry.strip("[]"))
        return network is not None and address in network
    domain = entry.removeprefix("*")
    return host == domain or host.endswith(domain if domain.startswith(".") else f".{domain}")


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
