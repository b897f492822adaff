# SPDX-License-Identifier: Apache-2.0
"""The application tells webhooks over real connections while its instance acts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from asking import add_release
from litestar.testing import AsyncTestClient

from okd_payload.controller.records import webhooks
from okd_payload.controller.records.webhooks import Webhook
from okd_payload.controller.service import Service
from okd_payload.web.access.settings import SiteSettings, WebhookSettings
from okd_payload.web.application import make_application
from okd_payload.web.site import Site

LOOPBACK = SiteSettings(webhooks=WebhookSettings(allowed_networks=("127.0.0.0/8",)))


class Receiver:
    """Takes what it is told, and answers while it is not silent."""

    def __init__(self, *, silent: bool = False) -> None:
        self.numbers: list[int] = []
        self.url = ""
        self._silent = silent
        self._arrived = asyncio.Condition()

    async def until(self, *numbers: int) -> None:
        """Return when these are the last events that arrived."""
        wanted = list(numbers)
        async with asyncio.timeout(60), self._arrived:
            await self._arrived.wait_for(lambda: self.numbers[-len(wanted) :] == wanted)

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Until the end of the block."""
        server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
        yield
        server.close()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length: ")[1].split("\r\n")[0])
        event = msgspec.json.decode(await reader.readexactly(length))
        async with self._arrived:
            self.numbers.append(event["number"])
            self._arrived.notify_all()
        if self._silent:
            await reader.read()
        else:
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
            await writer.drain()
        writer.close()


class NoVerifier:
    """Verifies nothing."""

    async def advance(self, configuration: object, release: object) -> None:
        """Nothing."""

    async def abort(self, release: object, *, reason: str) -> None:
        """Nothing."""


class Instance:
    """One of several processes over the same records."""

    def __init__(self, site: Site, name: str) -> None:
        surroundings = msgspec.structs.replace(site.surroundings, instance=name)
        self.service = Service(surroundings, verifier=NoVerifier(), lease_seconds=1e6)
        self.application = make_application(
            msgspec.structs.replace(site, service=self.service, settings=LOOPBACK),
            parts=("health",),
        )


async def test_who_is_silent_holds_up_neither_others_nor_the_end(rig, site):
    """The others are told at once, by whichever instance acts; the end waits for nobody."""
    good, silent = Receiver(), Receiver(silent=True)
    one, two = Instance(site, "one"), Instance(site, "two")
    async with (
        good.listening(),
        silent.listening(),
        AsyncTestClient[Any](one.application),
        AsyncTestClient[Any](two.application),
    ):
        for name, receiver in (("good", good), ("silent", silent)):
            webhook = Webhook(name=name, url=receiver.url, secret="0123456789abcdef")
            await rig.database.write(lambda unit, it=webhook: webhooks.write(unit, it))
            await rig.database.write(lambda unit, it=name: webhooks.resume(unit, it, after=0))
        await one.service.leadership.renew()
        await add_release(rig, 0)
        await asyncio.gather(good.until(1, 2), silent.until(1))
        await one.service.leadership.give_up()
        await two.service.leadership.renew()
        await add_release(rig, 1)
        await asyncio.gather(good.until(3, 4), silent.until(1, 1))
    assert good.numbers in ([1, 2, 3, 4], [1, 2, 2, 3, 4]), "what was not noted comes twice"
    assert silent.numbers == [1, 1]
