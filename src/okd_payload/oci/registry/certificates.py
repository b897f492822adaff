# SPDX-License-Identifier: Apache-2.0
"""Whom we trust, per host: the system's roots and whatever was added to them.

Roots only ever add up: naming one more authority must not make a public registry unknown.
Verification is switched off for the hosts that the user listed, for no other. Reading the
system's roots takes as long as some commands have in all, so it waits until somebody shows a
certificate where that is rare: loopback hosts mostly speak no TLS.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

from okd_payload.errors import InvalidDocument
from okd_payload.oci.registry.proxies import is_loopback
from okd_payload.oci.registry.settings import RegistrySettings, host_name, lists_host


class Certificates:
    """The TLS context of each host, made when it is first asked for."""

    def __init__(self, settings: RegistrySettings) -> None:
        self._settings = settings
        self._by_host: dict[str, ssl.SSLContext] = {}
        self._shared: dict[tuple[bool, bool, tuple[Path, ...]], ssl.SSLContext] = {}
        self._without_system_roots: set[ssl.SSLContext] = set()

    def context(self, host: str) -> ssl.SSLContext:
        """How to speak TLS with ``host``. Raises InvalidDocument for a broken certificate.

        Hosts without certificates of their own share a context: reading the system's roots
        takes longer than a handshake.
        """
        if host not in self._by_host:
            settings = self._settings
            insecure = lists_host(settings.insecure_hosts | settings.lenient_hosts, host)
            key = (insecure, is_loopback(host_name(host)), tuple(self._folders(host)))
            if key not in self._shared:
                self._shared[key] = self._make(insecure=insecure, later=key[1], folders=key[2])
            self._by_host[host] = self._shared[key]
        return self._by_host[host]

    def add_system_roots(self, context: object) -> bool:
        """Let a context of a loopback host trust the system's roots; False if it does already."""
        if not isinstance(context, ssl.SSLContext) or context not in self._without_system_roots:
            return False
        self._without_system_roots.remove(context)
        context.load_default_certs()
        return True

    def _folders(self, host: str) -> Iterator[Path]:
        for parent in self._settings.certificate_folders:
            folder = parent / host
            if folder.is_dir():
                yield folder

    def _make(self, *, insecure: bool, later: bool, folders: tuple[Path, ...]) -> ssl.SSLContext:
        if insecure or later:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        else:
            context = ssl.create_default_context()
        if later and not insecure:
            self._without_system_roots.add(context)
        if self._settings.certificate_authority:
            _add_roots(context, self._settings.certificate_authority)
        for folder in folders:
            for path in sorted(folder.glob("*.crt")):
                _add_roots(context, path)
            for path in sorted(folder.glob("*.cert")):
                _add_client_pair(context, path)
        if insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def _add_roots(context: ssl.SSLContext, path: Path) -> None:
    try:
        context.load_verify_locations(path)
    except (ssl.SSLError, OSError) as error:
        raise InvalidDocument(
            f"not a file of PEM certificates: {error.strerror or error}",
            path=str(path),
            hint="mend or remove the file; it was to be added to the trusted roots",
        ) from error


def _add_client_pair(context: ssl.SSLContext, path: Path) -> None:
    key = path.with_suffix(".key")
    try:
        context.load_cert_chain(path, key, password=_refuse_password)
    except (ssl.SSLError, OSError, ValueError) as error:
        raise InvalidDocument(
            f"not a client certificate with its key beside it in {key.name}: {error}",
            path=str(path),
            hint="both are PEM files, and the key has no password",
        ) from error


def _refuse_password() -> str:
    raise ValueError("the key is protected by a password")
