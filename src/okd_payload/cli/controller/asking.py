# SPDX-License-Identifier: Apache-2.0
"""How commands reach the interface of a controller: over HTTP, or in this process.

A token comes from the environment or a file, never from the command line, where everybody on
the machine reads it; it is shown to the server that was named, and to no other: redirects are
not followed, and a network in the clear is refused.
"""

from __future__ import annotations

import functools
import http.client
import os
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from okd_payload.cli.option_groups import option_group
from okd_payload.cli.settings import Settings
from okd_payload.cli.web_address import read_web_address
from okd_payload.errors import (
    InputError,
    NotFound,
    OkdPayloadError,
    RegistryUnavailable,
    RequestRefused,
)

Value = TypeVar("Value")

SERVER_VARIABLE = "OKD_PAYLOAD_SERVER"
TOKEN_VARIABLE = "OKD_PAYLOAD_TOKEN"  # noqa: S105 - the name of a variable
_SECONDS = 60
_MAX_TOKEN_BYTES = 4096
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class ControllerChoice(msgspec.Struct, frozen=True, kw_only=True):
    """Which controller is asked."""

    server: str = ""
    token: str = ""
    database: str = ""
    streams: Path | None = None


class Problem(msgspec.Struct, frozen=True):
    """An error as the interface answers it."""

    status: int = 0
    title: str = ""
    detail: str = ""
    hint: str = ""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked."""

    path: str
    """Below the interface, as in ``/streams``."""
    query: Mapping[str, str] = {}
    body: msgspec.Struct | None = None
    """What is sent; nothing when it is only read."""

    @property
    def target(self) -> str:
        """Path and query."""
        given = {name: value for name, value in self.query.items() if value}
        query = urllib.parse.urlencode(given)
        path = f"/api/v2{urllib.parse.quote(self.path)}"
        return f"{path}?{query}" if query else path


controller_options = option_group(
    click.option(
        "--server",
        default="",
        envvar=SERVER_VARIABLE,
        metavar="URL",
        help="Where the controller is served.",
    ),
    click.option(
        "--token-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE",
        help=f"The token to show; else that of {TOKEN_VARIABLE}.",
    ),
    click.option(
        "--database",
        default="",
        metavar="URL",
        help="Work on this database itself, without a server.",
    ),
    click.option(
        "--streams",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="With --database: the folder with the release streams.",
    ),
)
"""The options that say which controller is asked."""


def take_choice(options: dict[str, Any]) -> ControllerChoice:
    """Take what ``controller_options`` declared out of ``options``. Raises InputError."""
    server, database = options.pop("server"), options.pop("database")
    token_file, streams = options.pop("token_file"), options.pop("streams")
    if database:
        return ControllerChoice(database=database, streams=streams)
    if not server:
        raise InputError(
            "no controller is named",
            hint=f"name its server with --server or {SERVER_VARIABLE}, or its --database",
        )
    if token_file is not None:
        with token_file.open("rb") as opened:
            token = _check_token(opened.read(_MAX_TOKEN_BYTES), str(token_file))
    else:
        token = _check_token(os.environb.get(TOKEN_VARIABLE.encode()), TOKEN_VARIABLE)
    return ControllerChoice(server=server.rstrip("/"), token=token)


def _check_token(content: bytes | None, origin: str) -> str:
    """The token that ``content`` is; nothing where nothing is given. Raises InputError."""
    if not content:
        return ""
    token = content.strip()
    if not re.fullmatch(rb"[!-~]+", token):
        raise InputError(
            f"{origin} holds no token",
            hint="a token is one line, as `okd-payload controller token create` prints it",
        )
    return token.decode("ascii")


def ask(settings: Settings, choice: ControllerChoice, request: Request, kind: type[Value]) -> Value:
    """The answer of the controller, as a ``kind``.

    Raises InputError, NotFound and RequestRefused for what the controller says no to, and
    RegistryUnavailable when it says nothing.
    """
    if choice.database:
        from okd_payload.cli.controller.in_process import ask_in_process
        from okd_payload.cli.loop import run_async

        status, content = run_async(ask_in_process(settings, choice, request))
    else:
        status, content = _ask_server(choice, request)
    if status >= 300:
        raise _error(status, content)
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError as error:
        raise RequestRefused(
            f"the server's answer is not what this program expects: {error}",
            hint="is there a controller at this address, and of this version?",
        ) from error


def _ask_server(choice: ControllerChoice, request: Request) -> tuple[int, bytes]:
    url = read_web_address(choice.server, option="--server")
    headers = {"Accept": "application/json"}
    if choice.token:
        if url.scheme == "http" and url.hostname not in _LOOPBACK:
            raise InputError(
                f"the token for {url.hostname} would go there in the clear", hint="write https://"
            )
        headers["Authorization"] = f"Bearer {choice.token}"
    data = None
    if request.body is not None:
        headers["Content-Type"] = "application/json"
        data = msgspec.json.encode(request.body)
    sent = urllib.request.Request(  # noqa: S310 - the scheme was judged above
        choice.server + request.target, data=data, headers=headers
    )
    opener = urllib.request.build_opener(_Stay())
    try:
        with opener.open(sent, timeout=_SECONDS) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        reason = getattr(error, "reason", None) or error
        raise RegistryUnavailable(
            f"{choice.server} does not answer: {reason}",
            hint="is it served, and reached from here?",
        ) from error


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: a token is for the server that was named."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Nowhere."""


@functools.cache
def _problems() -> msgspec.json.Decoder[Problem]:
    return msgspec.json.Decoder(Problem)


def _error(status: int, content: bytes) -> OkdPayloadError:
    """The error for an answer that is none of what was asked for."""
    try:
        problem = _problems().decode(content)
    except msgspec.DecodeError:
        problem = Problem()
    detail = problem.detail or f"the server answers {status}"
    hint = problem.hint
    if not problem.detail:
        hint = hint or "is there a controller at this address?"
    if status in (401, 403):
        hint = hint or f"show a token with the role: --token-file, or {TOKEN_VARIABLE}"
    if status == 404:
        return NotFound(detail, hint=hint)
    if status == 400:
        return InputError(detail, hint=hint)
    return RequestRefused(detail, hint=hint)
