# SPDX-License-Identifier: Apache-2.0
"""From a context of a kubeconfig to a connection: address, TLS, proxy and credentials.

Certificates, keys and authorities are loaded by lightkube; who we are is told by
``credentials``. Everything that cannot be used is an error before anything is sent.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from okd_payload.clock import Clock
from okd_payload.cluster.connection import Address, Connection
from okd_payload.cluster.credentials import (
    Credentials,
    FixedCredentials,
    Plugin,
    PluginCredentials,
    TokenFile,
    password,
)
from okd_payload.errors import InputError

if TYPE_CHECKING:
    from lightkube.config.kubeconfig import SingleConfig
    from lightkube.config.models import User


def connect(configuration: SingleConfig, clock: Clock) -> Connection:
    """The connection that the configuration means. Raises InputError."""
    from lightkube.config.models import User
    from lightkube.exceptions import ConfigError

    from okd_payload.cluster.entries import ClusterEntry

    user = configuration.user or User()  # it may be nobody
    cluster = configuration.cluster
    beyond = cluster if isinstance(cluster, ClusterEntry) else ClusterEntry()
    try:
        tls = _tls(configuration, user)
        credentials = _credentials(configuration, user, clock)
    except (ConfigError, ssl.SSLError, OSError, ValueError) as error:
        raise InputError(
            f"the kubeconfig's context {configuration.context_name} cannot be used: {error}",
            hint="log in anew, or mend the certificates and keys that it names",
        ) from error
    _check_server(cluster.server, configuration.context_name)
    address = Address(
        server=cluster.server,
        proxy=beyond.proxy_url or _proxy_of_environment(cluster.server),
        server_name=beyond.tls_server_name or "",
    )
    if address.proxy and not address.proxy.startswith(("http://", "https://")):
        raise InputError(
            f"the proxy for {address.server} is none of HTTP",
            hint="name an http:// or https:// one, as proxy-url in the kubeconfig or HTTPS_PROXY",
        )
    return Connection(address, credentials, tls=tls)


def _check_server(server: str, context: str) -> None:
    """Raise InputError for what is no address of a server."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(server)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets without an end, a port that is none
        usable = False
    if not usable:
        raise InputError(
            f"the kubeconfig's context {context} has the server {server!r}, which is no address",
            hint="write it as in https://HOST:6443",
        )


def _proxy_of_environment(server: str) -> str:
    """What ``HTTPS_PROXY`` and ``NO_PROXY`` say of the server, looked up once and not each time."""
    from urllib.parse import urlsplit
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(server)
    proxy = getproxies().get(parts.scheme, "")
    return "" if proxy_bypass(parts.netloc) else proxy


def _tls(configuration: SingleConfig, user: User) -> ssl.SSLContext | None:
    from lightkube.config.client_adapter import verify_cluster

    if not configuration.cluster.server.startswith("https://"):
        return None
    return verify_cluster(configuration.cluster, user, configuration.abs_file)


def _credentials(configuration: SingleConfig, user: User, clock: Clock) -> Credentials:
    if user.token_file:
        return TokenFile(Path(configuration.abs_file(user.token_file)), clock)
    if user.token:
        return FixedCredentials(f"Bearer {user.token}")
    if user.exec:
        program = user.exec.command
        if "/" in program:  # else it is looked for in PATH
            program = str(configuration.abs_file(program))
        plugin = Plugin(
            api_version=user.exec.apiVersion,
            command=(program, *(user.exec.args or ())),
            environment={entry.name: entry.value for entry in user.exec.env or ()},
            install_hint=user.exec.installHint or "",
        )
        return PluginCredentials(plugin, clock)
    if user.username and user.password:
        return password(user.username, user.password)
    if user.auth_provider:
        raise ValueError("its user has an auth-provider, which Kubernetes has given up")
    return FixedCredentials()
