# SPDX-License-Identifier: Apache-2.0
"""The interface over a database, without a server: asked once, in this process.

Whoever may write to the database may do everything; for the one request a token is made, shown
and taken out again, so that the same checks are made and the same audit log is written.
"""

from __future__ import annotations

import getpass
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

import msgspec

from okd_payload.cli.controller.asking import ControllerChoice, Request
from okd_payload.cli.services import open_services
from okd_payload.cli.settings import Settings
from okd_payload.controller.records import open_database, tokens
from okd_payload.controller.surroundings import Surroundings
from okd_payload.progress import ignore_progress

if TYPE_CHECKING:
    from litestar import Litestar

_ALL = ("administrator",)
_SECONDS = 300.0


async def ask_in_process(
    settings: Settings, choice: ControllerChoice, request: Request
) -> tuple[int, bytes]:
    """Status and content of the answer. Raises InputError and RecordsError."""
    from okd_payload.controller.configuration.folder import StreamFolder
    from okd_payload.oci.registry import RegistrySettings
    from okd_payload.web.access.tokens import mint_token
    from okd_payload.web.application import make_application
    from okd_payload.web.site import Site

    configurations = StreamFolder(choice.streams) if choice.streams else dict
    async with open_services(settings, ignore_progress, registries=RegistrySettings()) as services:
        database = open_database(choice.database)
        try:
            surroundings = Surroundings(
                database=database,
                clock=services.clock,
                progress=ignore_progress,
                configurations=configurations,
                open_location=services.open_location,
                open_target=services.open_target,
                state=services.locations.state / "controller",
            )
            application = make_application(Site(surroundings=surroundings), parts=("api",))
            actor = f"{_user()}@database"
            minted = await mint_token(
                surroundings, actor, roles=_ALL, seconds=_SECONDS, actor=actor
            )
            try:
                return await _ask(application, request, minted.text)
            finally:
                await database.write(lambda unit: tokens.remove(unit, minted.token.id))
        finally:
            await database.close()


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"


async def _ask(application: Litestar, request: Request, token: str) -> tuple[int, bytes]:
    """One request, in the terms of ASGI."""
    path, _, query = request.target.partition("?")
    body = b"" if request.body is None else msgspec.json.encode(request.body)
    headers = [(b"host", b"localhost"), (b"authorization", f"Bearer {token}".encode())]
    if request.body is not None:
        headers.append((b"content-type", b"application/json"))
        headers.append((b"content-length", str(len(body)).encode()))
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET" if request.body is None else "POST",
        "scheme": "http",
        "path": f"/api/v2{request.path}",
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": headers,
        "client": None,
        "server": ("localhost", 80),
        "state": {},
    }
    status, content = 0, b""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal status, content
        if message["type"] == "http.response.start":
            status = message["status"]
        elif message["type"] == "http.response.body":
            content += message.get("body", b"")

    await application(scope, receive, send)  # type: ignore[arg-type] # litestar types scopes closely
    return status, content
