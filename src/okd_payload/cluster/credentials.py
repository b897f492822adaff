# SPDX-License-Identifier: Apache-2.0
"""Who we are to a cluster: a token, a token in a file that others renew, or a program's token.

Tokens of service accounts are renewed by the kubelet in their file, those of clouds by a program
that the kubeconfig names (the exec plugins of client-go). Both are read again when their time
comes, and when the server does not take them any more. Certificates are no matter of headers:
they stand in the TLS configuration. What is secret is never part of a message.
"""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import msgspec

from okd_payload.clock import Clock
from okd_payload.errors import InputError

_FILE_LIFE = 60.0
"""Seconds for which a token from a file is used, as in client-go; a kubelet renews it hourly."""
_PLUGIN_TIME = 60.0
"""Seconds that a program may take; nobody answers its questions here."""
_PLUGIN_APIS = tuple(
    f"client.authentication.k8s.io/{version}" for version in ("v1", "v1beta1", "v1alpha1")
)
_LOG_IN = "log in anew"


class Credentials(Protocol):
    """What proves to the server who asks."""

    async def authorization(self) -> str:
        """The header's value; empty for none."""
        ...

    async def renew(self) -> bool:
        """Get new ones, after the server refused these; whether there are others now."""
        ...


class FixedCredentials:
    """A token or password that stays."""

    def __init__(self, authorization: str = "") -> None:
        self._authorization = authorization

    async def authorization(self) -> str:
        """As it was given."""
        return self._authorization

    async def renew(self) -> bool:
        """There are no others."""
        return False


class TokenFile:
    """A token that others renew in a file."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._read_at = float("-inf")
        self._token = ""

    async def authorization(self) -> str:
        """The token of a minute ago at most. Raises InputError when there is no file."""
        if self._clock.monotonic() - self._read_at > _FILE_LIFE:
            self._read()
        return f"Bearer {self._token}"

    async def renew(self) -> bool:
        """Read it at once."""
        before = self._token
        self._read()
        return self._token != before

    def _read(self) -> None:
        try:
            self._token = self._path.read_text("ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"no token of the cluster in {self._path}", hint=_LOG_IN) from error
        self._read_at = self._clock.monotonic()


class Plugin(msgspec.Struct, frozen=True, kw_only=True):
    """A program that a kubeconfig names for credentials."""

    api_version: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    install_hint: str = ""


class _Granted(msgspec.Struct, frozen=True, rename="camel"):
    token: str = ""
    client_certificate_data: str = ""
    expiration_timestamp: str = ""


class _ExecCredential(msgspec.Struct, frozen=True):
    status: _Granted


class PluginCredentials:
    """A token that a program gives; it is run again when its time is over."""

    def __init__(self, plugin: Plugin, clock: Clock) -> None:
        self._plugin = plugin
        self._clock = clock
        self._token = ""
        self._expires = float("inf")
        self._alone = asyncio.Lock()

    async def authorization(self) -> str:
        """The program's token. Raises InputError when it gives none."""
        async with self._alone:
            if not self._token or self._clock.now() >= self._expires:
                await self._run()
            return f"Bearer {self._token}"

    async def renew(self) -> bool:
        """Run the program again, unless another request just did."""
        before = self._token
        async with self._alone:
            if self._token == before:
                await self._run()
            return self._token != before

    async def _run(self) -> None:
        program = self._plugin.command[0]
        if self._plugin.api_version not in _PLUGIN_APIS:
            raise InputError(
                f"the kubeconfig's program {program} speaks {self._plugin.api_version}",
                hint=f"known are {', '.join(_PLUGIN_APIS)}",
            )
        said = await self._output()
        try:
            granted = msgspec.json.decode(said, type=_ExecCredential).status
            self._expires = _seconds(granted.expiration_timestamp)
        except (msgspec.MsgspecError, ValueError) as error:
            raise InputError(
                f"the kubeconfig's program {program} gives no credentials", hint=_LOG_IN
            ) from error
        if not granted.token and granted.client_certificate_data:
            raise InputError(
                f"the kubeconfig's program {program} gives a certificate and no token",
                hint="name the certificate in the kubeconfig, or use a token",
            )
        if not granted.token:
            raise InputError(f"the kubeconfig's program {program} gives no token", hint=_LOG_IN)
        self._token = granted.token

    async def _output(self) -> bytes:
        plugin = self._plugin
        environment = {**os.environ, **plugin.environment, "KUBERNETES_EXEC_INFO": self._question()}
        try:
            process = await asyncio.create_subprocess_exec(
                *plugin.command,
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            raise InputError(
                f"the kubeconfig's program {plugin.command[0]} cannot be run: {error.strerror}",
                hint=plugin.install_hint or "install it, or log in another way",
            ) from error
        try:
            async with asyncio.timeout(_PLUGIN_TIME):
                said, complaint = await process.communicate()
        except BaseException as error:  # cancelled or late: the program must not outlive us
            process.kill()
            await process.wait()
            if isinstance(error, TimeoutError):
                raise InputError(
                    f"the kubeconfig's program {plugin.command[0]} does not end",
                    hint="run it by hand: it may be asking something",
                ) from error
            raise
        if process.returncode:
            words = " ".join(complaint.decode(errors="replace").split())[-500:]
            raise InputError(
                f"the kubeconfig's program {plugin.command[0]} failed: {words}", hint=_LOG_IN
            )
        return said

    def _question(self) -> str:
        question = {
            "apiVersion": self._plugin.api_version,
            "kind": "ExecCredential",
            "spec": {"interactive": False},
        }
        return msgspec.json.encode(question).decode()


def password(user: str, secret: str) -> FixedCredentials:
    """A name and a password, as HTTP has them."""
    return FixedCredentials(f"Basic {base64.b64encode(f'{user}:{secret}'.encode()).decode()}")


def _seconds(timestamp: str) -> float:
    """Seconds since the epoch; without a time it is for ever. Raises ValueError."""
    import datetime as dt

    if not timestamp:
        return float("inf")
    return dt.datetime.fromisoformat(timestamp).timestamp()
