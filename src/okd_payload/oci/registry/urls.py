# SPDX-License-Identifier: Apache-2.0
"""Where an answer sends us next: ``Location`` and ``Link`` headers as URLs that may be followed.

A registry behind a proxy often believes that it is spoken to over http; its own host keeps the
scheme that is really used. To another host nothing goes in the clear after TLS, unless the
user listed that host.
"""

from __future__ import annotations

from yarl import URL

from okd_payload.errors import RegistryRefused
from okd_payload.oci.registry.settings import RegistrySettings, lists_host


def resolve(target: str, *, base: URL, settings: RegistrySettings) -> URL:
    """``target`` as an absolute URL, its encoding untouched.

    Raises RegistryRefused, which does not repeat ``target``: it may be signed.
    """
    try:
        url = base.join(URL(target, encoded=True))
        host = url.host_port_subcomponent
    except ValueError:
        host = None
    if not target or host is None or url.scheme not in ("http", "https") or url.user:
        raise RegistryRefused(
            f"{base.host} leads to a place that cannot be followed",
            hint="the registry, or a proxy before it, is set up wrongly",
        )
    if base.scheme == "https" and url.scheme == "http":
        if url.raw_host == base.raw_host:
            return _at(base, url)
        if not lists_host(settings.plain_http_hosts, host):
            raise RegistryRefused(
                f"{base.host} leads from https to plain http at {host}",
                hint=f"if that is intended, allow it: --plain-http {host}",
            )
    return url


def _at(base: URL, url: URL) -> URL:
    return URL.build(
        scheme=base.scheme,
        authority=base.authority,
        path=url.raw_path,
        query_string=url.raw_query_string,
        encoded=True,
    )


def same_origin(one: URL, other: URL) -> bool:
    """Whether what is meant for the one may be sent to the other."""
    places = [(url.scheme, url.raw_host, url.port) for url in (one, other)]
    return places[0] == places[1]


def add_query(url: URL, name: str, value: str) -> URL:
    """``url`` with one more parameter; what is there keeps its encoding, which may be signed."""
    text = str(url)
    joint = "&" if "?" in text else "?"
    return URL(f"{text}{joint}{name}={value.replace(':', '%3A')}", encoded=True)
