# SPDX-License-Identifier: Apache-2.0
"""Who asks, by what the request shows: a token, a session, or the word of a proxy that is listed.

The address of who asks is that of the peer. Only a listed proxy may say that it asks for
somebody else, and then the last address that no listed proxy has counts: whoever writes the
header himself writes further to the left.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence

import msgspec

from okd_payload.web.access.roles import Role
from okd_payload.web.access.settings import ProxySettings

_LONGEST_NAME = 256


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, and what they may do."""

    name: str = ""
    """Empty for anybody."""
    roles: tuple[Role, ...] = ()
    by_browser: bool = False
    """Whether a browser may have been made to ask, by a page of somebody else."""
    signed_in: bool = False
    """Whether it can sign out here; who comes by a proxy does that there."""
    address: str = ""


def is_listed(address: str, networks: Sequence[str]) -> bool:
    """Whether ``address`` is in one of ``networks``."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    known = mapped or found
    return any(known in ipaddress.ip_network(network, strict=False) for network in networks)


def address_of(peer: str, headers: Mapping[str, str], settings: ProxySettings) -> str:
    """Where the request comes from."""
    if not is_listed(peer, settings.addresses):
        return peer
    named = [part.strip() for part in headers.get("x-forwarded-for", "").split(",")]
    for address in reversed([part for part in named if part]):
        if not is_listed(address, settings.addresses):
            return address[:_LONGEST_NAME]
    return peer


def is_encrypted(
    scheme: str, peer: str, headers: Mapping[str, str], settings: ProxySettings, *, base_url: str
) -> bool:
    """Whether the browser that asks is spoken to by HTTPS, here or by what stands before us."""
    if scheme == "https" or base_url.startswith("https:"):
        return True
    return is_listed(peer, settings.addresses) and (
        headers.get("x-forwarded-proto", "").rpartition(",")[2].strip().lower() == "https"
    )


def identity_of_proxy(
    peer: str, headers: Mapping[str, str], settings: ProxySettings
) -> Identity | None:
    """Whom a listed proxy says that it asks for; None from anybody else, and for nobody."""
    if not is_listed(peer, settings.addresses):
        return None
    name = headers.get(settings.user_header.lower(), "").strip()
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        return None
    groups = [part.strip() for part in headers.get(settings.groups_header.lower(), "").split(",")]
    roles = {settings.group_roles[group] for group in groups if group in settings.group_roles}
    if name in settings.user_roles:
        roles.add(settings.user_roles[name])
    return Identity(
        name=name,
        roles=tuple(sorted(roles | {Role.READER})),
        by_browser=True,
        address=address_of(peer, headers, settings),
    )


def is_same_origin(headers: Mapping[str, str], *, base_url: str) -> bool:
    """Whether a browser says that a page of this site asks, and not one of another.

    Browsers send ``Origin`` or ``Sec-Fetch-Site`` with everything that writes; a request with
    neither shows nothing and is not taken.
    """
    origin = headers.get("origin", "")
    if origin:
        own = (
            {base_url}
            if base_url
            else {f"{scheme}://{headers.get('host', '')}" for scheme in ("http", "https")}
        )
        return origin in own
    return headers.get("sec-fetch-site", "") == "same-origin"
