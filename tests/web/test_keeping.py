# SPDX-License-Identifier: Apache-2.0
"""Answers are kept for a moment, for whom nobody knows, and never longer than they are true."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from asking import add_release, token_for
from litestar import Litestar, MediaType, Response, get
from litestar.params import FromQuery
from litestar.response import Stream
from litestar.testing import AsyncTestClient
from rig import STREAM, Rig

from okd_payload.controller.model import Event, Phase, StreamState
from okd_payload.controller.records import events, open_database, streams
from okd_payload.web.access.settings import AccessSettings, ProxySettings, SiteSettings
from okd_payload.web.application import make_application
from okd_payload.web.keeping import KEPT, make_keeping
from okd_payload.web.site import Site


class Counting:
    """A site whose pages say how often one was made."""

    def __init__(self, site: Site) -> None:
        self.made = 0
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()
        counting = self

        def count() -> str:
            counting.made += 1
            return f"made {counting.made}"

        @get("/page", opt=KEPT, media_type=MediaType.TEXT)
        async def page() -> Response[str]:
            told = count()
            counting.begun.set()
            await counting.go_on.wait()
            return Response(told, headers={"ETag": f'"{told}"'})

        @get("/fresh", media_type=MediaType.TEXT)
        async def fresh() -> str:
            return count()

        @get("/missing", opt=KEPT)
        async def missing() -> Response[str]:
            return Response(count(), status_code=404)

        @get("/large", opt=KEPT, media_type=MediaType.TEXT)
        async def large(size: FromQuery[int]) -> str:
            return count().ljust(size)

        @get("/parts", opt=KEPT)
        async def parts() -> Stream:
            async def told() -> AsyncIterator[str]:
                yield count()
                counting.begun.set()
                await counting.go_on.wait()
                yield "!"

            return Stream(told())

        handlers = [page, fresh, missing, large, parts]
        self.application = Litestar(handlers, middleware=[make_keeping(site)], openapi_config=None)


@pytest.fixture
def counting(site: Site) -> Counting:
    """Pages over the rig."""
    return Counting(site)


class Answer(msgspec.Struct, frozen=True):
    """What was answered."""

    status: int
    headers: dict[str, str]
    text: str


async def fetch(
    counting: Counting, address: str = "/page", *, method: str = "GET", **headers: str
) -> Answer:
    """Ask in this loop, in which others ask too."""
    path, _, query = address.partition("?")
    shown = {"host": "releases.test"} | headers
    told: list[Any] = []

    over = asyncio.Event()
    asked = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> Any:
        for message in asked:
            return message
        await over.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        told.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            over.set()

    scope: Any = {
        "type": "http",
        "scheme": "http",
        "http_version": "1.1",
        "root_path": "",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "state": {},
        "query_string": query.encode(),
        "client": ("127.0.0.1", 1),
        "server": ("x", 1),
        "headers": [(name.encode(), text.encode()) for name, text in shown.items()],
    }
    await counting.application(scope, receive, send)
    return Answer(
        status=told[0]["status"],
        headers={name.decode(): text.decode() for name, text in told[0]["headers"]},
        text=b"".join(message.get("body", b"") for message in told[1:]).decode().strip(),
    )


async def ask(counting: Counting, address: str = "/page", **headers: str) -> str:
    """The text that is answered."""
    return (await fetch(counting, address, **headers)).text


async def test_an_answer_is_made_once_for_many(counting: Counting) -> None:
    """Those who ask at the same time, and those who ask a moment later."""
    counting.go_on.clear()
    first = asyncio.create_task(ask(counting))
    await counting.begun.wait()
    others = [asyncio.create_task(ask(counting)) for _ in range(20)]
    await asyncio.sleep(0)
    counting.go_on.set()
    assert await asyncio.gather(first, *others) == ["made 1"] * 21
    assert await ask(counting) == "made 1"


async def test_an_answer_ends_with_its_second(rig: Rig, counting: Counting) -> None:
    """Pages tell ages and troubles."""
    assert await ask(counting) == "made 1"
    rig.clock.advance(0.9)
    assert await ask(counting) == "made 1"
    rig.clock.advance(0.2)
    assert await ask(counting) == "made 2"


async def test_what_is_written_shows_at_once(rig: Rig, counting: Counting) -> None:
    """Also what is no event, and a changed configuration."""
    assert await ask(counting) == "made 1"
    await rig.database.write(lambda unit: streams.write(unit, StreamState(name=STREAM, error="x")))
    assert await ask(counting) == "made 2"
    rig.configure("other")
    assert await ask(counting) == "made 3"
    assert await ask(counting) == "made 3"


async def test_what_another_instance_writes_shows_at_once(rig: Rig, tmp_path: Path) -> None:
    """It is told by an event."""
    url = f"sqlite:///{tmp_path}/shared.db"
    here, there = open_database(url), open_database(url)
    site = Site(surroundings=msgspec.structs.replace(rig.surroundings, database=here))
    counting = Counting(site)
    assert await ask(counting) == "made 1"
    await there.write(lambda unit: events.add(unit, Event(time=1.0, kind="release.changed")))
    assert await ask(counting) == "made 2"
    await here.close()
    await there.close()


@pytest.mark.parametrize("header", ["authorization", "cookie", "x-remote-user", "range"])
async def test_nothing_is_kept_of_or_for_those_who_are_known(rig: Rig, header: str) -> None:
    """Whoever shows anything is answered alone, before and after others."""
    proxy = ProxySettings(addresses=("127.0.0.1/32",), user_header="X-Remote-User")
    settings = SiteSettings(access=AccessSettings(proxy=proxy))
    counting = Counting(Site(surroundings=rig.surroundings, settings=settings))
    assert await ask(counting, **{header: "x"}) == "made 1"
    assert await ask(counting) == "made 2"
    assert await ask(counting, **{header: "x"}) == "made 3"
    assert await ask(counting) == "made 2"


async def test_another_request_has_another_answer(counting: Counting) -> None:
    """By its query, and by the headers that answers may go by."""
    found = [
        await ask(counting),
        await ask(counting, "/page?a=1"),
        await ask(counting, host="other.test"),
        await ask(counting, accept="text/html"),
        await ask(counting, **{"accept-encoding": "gzip"}),
    ]
    assert found == [f"made {number}" for number in range(1, 6)]


async def test_who_has_it_is_told_so(counting: Counting) -> None:
    """Without its content; and whoever comes after somebody who has it still gets all of it."""
    tag = '"made 1"'
    known = {"if-none-match": f'"x", W/{tag}'}
    assert (await fetch(counting, **known)).status == 304
    answer = await fetch(counting)
    assert (answer.status, answer.text, answer.headers["etag"]) == (200, "made 1", tag)
    unchanged = await fetch(counting, **known)
    assert (unchanged.status, unchanged.text, unchanged.headers["etag"]) == (304, "", tag)
    assert "content-length" not in unchanged.headers
    assert await ask(counting, **{"if-none-match": '"x"'}) == "made 1"


async def test_only_whole_answers_of_routes_that_say_so_are_kept(
    counting: Counting,
) -> None:
    """No errors, nothing that comes in parts, nothing too large, and no other route."""
    for path in ("/fresh", "/missing", "/parts", f"/large?size={2 << 20}"):
        before = counting.made
        assert await ask(counting, path) != await ask(counting, path)
        assert counting.made == before + 2
    assert (await fetch(counting, method="HEAD")).status == 405


async def test_nobody_waits_for_an_answer_without_end(counting: Counting) -> None:
    """As those are that tell of events as they happen."""
    counting.go_on.clear()
    first = asyncio.create_task(ask(counting, "/parts"))
    await counting.begun.wait()
    counting.begun.clear()
    second = asyncio.create_task(ask(counting, "/parts"))
    await counting.begun.wait()
    counting.go_on.set()
    assert sorted(await asyncio.gather(first, second)) == ["made 1!", "made 2!"]


async def test_what_is_kept_is_bounded(counting: Counting) -> None:
    """Those asked for longest ago go first."""
    size = (1 << 20) - 1000
    paths = [f"/large?size={size + number}" for number in range(40)]
    for path in paths:
        await ask(counting, path)
    assert await ask(counting, paths[-1]) == "made 40"
    assert await ask(counting, paths[0]) == "made 41"
    assert await ask(counting, paths[-1]) == "made 40"


async def test_who_gives_up_leaves_nobody_waiting(counting: Counting) -> None:
    """The next one makes the answer."""
    counting.go_on.clear()
    first = asyncio.create_task(ask(counting))
    await counting.begun.wait()
    second = asyncio.create_task(ask(counting))
    await asyncio.sleep(0)
    first.cancel()
    counting.go_on.set()
    assert await second == "made 2"


async def test_pages_of_those_who_are_signed_in_are_their_own(site: Site, rig: Rig) -> None:
    """What a manager may do stands on no other page, whoever asks first."""
    release = await add_release(rig, phase=Phase.READY)
    path = f"/releasestream/{STREAM}/release/{release.name}"
    manager = await token_for(rig, "manager")
    async with AsyncTestClient[Any](make_application(site)) as client:
        for headers in ({}, manager, {}, manager):
            page = await client.get(path, headers=headers)
            assert page.status_code == 200
            assert (f"{release.name}/accept" in page.text) == bool(headers)
