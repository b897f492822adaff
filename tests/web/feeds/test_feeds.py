# SPDX-License-Identifier: Apache-2.0
"""Feeds are valid, tell what changed, and carry nothing that a reader would run."""

from __future__ import annotations

import datetime as dt
import re
import uuid
import xml.etree.ElementTree as ET
from typing import Any

import msgspec
import pytest
from asking import add_release
from litestar.testing import AsyncTestClient
from rig import STREAM

from okd_payload.controller.model import Phase
from okd_payload.controller.records import releases
from okd_payload.web.application import make_application
from okd_payload.web.feeds.atom import Entry, Feed, write_feed

ATOM = "{http://www.w3.org/2005/Atom}"


def check_feed(content: bytes) -> ET.Element:
    """The feed in ``content``, after holding it against what RFC 4287 asks of feeds."""
    feed = ET.fromstring(content)
    assert feed.tag == f"{ATOM}feed"
    seen = []
    for element in (feed, *feed.findall(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            assert len(element.findall(ATOM + name)) == 1, name
        identity = element.findtext(f"{ATOM}id") or ""
        assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", identity)
        seen.append(identity)
        moment = element.findtext(f"{ATOM}updated") or ""
        assert dt.datetime.fromisoformat(moment).tzinfo is not None
        assert element.find(f"{ATOM}author") is not None
        assert any(link.get("rel") == "alternate" for link in element.findall(f"{ATOM}link"))
    assert len(set(seen)) == len(seen)
    assert any(link.get("rel") == "self" for link in feed.findall(f"{ATOM}link"))
    return feed


@pytest.mark.parametrize("name", ["all", STREAM])
async def test_decided_releases_are_told_with_what_changed(rig, client, name):
    """The newest first; what is not decided is no news."""
    await add_release(rig, 0, phase=Phase.ACCEPTED)
    await add_release(rig, 60, phase=Phase.REJECTED)
    await add_release(rig, 120, phase=Phase.READY)
    answer = await client.get(f"/feeds/{name}.atom")
    assert answer.headers["content-type"].startswith("application/atom+xml")
    feed = check_feed(answer.content)
    entries = feed.findall(f"{ATOM}entry")
    assert [entry.findtext(f"{ATOM}title") for entry in entries] == [
        f"{STREAM}-0060: Rejected",
        f"{STREAM}-0000: Accepted",
    ]
    text = entries[0].findtext(f"{ATOM}content") or ""
    assert f"Changed since {STREAM}-0000:" in text
    assert "- etcd: changed" in text
    again = await client.get(
        f"/feeds/{name}.atom", headers={"If-None-Match": answer.headers["etag"]}
    )
    assert again.status_code == 304


async def titles(client, query: str) -> list[str]:
    """The titles of the feed and its entries."""
    feed = check_feed((await client.get(f"/feeds/all.atom{query}")).content)
    return [element.text or "" for element in feed.iter(f"{ATOM}title")]


async def test_feeds_of_some_phases_tell_of_no_others(rig, client):
    """Whoever installs releases wants the good ones; whoever mends them, the others."""
    await add_release(rig, 0, phase=Phase.ACCEPTED)
    await add_release(rig, 60, phase=Phase.REJECTED)
    await add_release(rig, 120, phase=Phase.FAILED)
    accepted = await titles(client, "?phase=Accepted")
    assert accepted == ["OKD releases (Accepted)", f"{STREAM}-0000: Accepted"]
    others = await titles(client, "?phase=Failed&phase=Rejected")
    assert others[1:] == [f"{STREAM}-0120: Failed", f"{STREAM}-0060: Rejected"]
    for wrong in ("Ready", "accepted", "<b>"):
        answer = await client.get("/feeds/all.atom", params={"phase": wrong})
        assert answer.status_code == 400, wrong


async def test_identities_hold_for_good(rig, site):
    """By whatever name the server is asked; what is decided anew is told anew."""
    nameless = msgspec.structs.replace(site, base_url="")
    release = await add_release(rig, 0, phase=Phase.ACCEPTED)
    async with AsyncTestClient[Any](make_application(nameless)) as client:

        async def identities(host: str) -> list[str]:
            answer = await client.get("/feeds/all.atom", headers={"Host": host})
            return [element.text or "" for element in check_feed(answer.content).iter(f"{ATOM}id")]

        feed, entry = await identities("a.test")
        assert await identities("b.test") == [feed, entry]
        found = await rig.database.read(lambda unit: releases.find(unit, release.name))
        await rig.database.write(
            lambda unit: releases.move(unit, found, Phase.REJECTED, time=rig.clock.now())
        )
        again, decided_anew = await identities("a.test")
        assert (again, decided_anew != entry) == (feed, True)


async def test_a_feed_without_news_is_valid(client):
    """A reader that subscribes early is told nothing, and stays."""
    assert not check_feed((await client.get("/feeds/all.atom")).content).findall(f"{ATOM}entry")


async def test_unknown_feeds_are_not_found(client):
    """And neither is a name without its ending."""
    for name in ("nothing.atom", "all"):
        assert (await client.get(f"/feeds/{name}")).status_code == 404


def test_hostile_text_stays_text():
    """Markup, controls and quotes end nothing and begin nothing."""
    nasty = "</title><script>\x00\x1b[31m ]]> \" ' & \ufffe"
    entry = Entry(
        identity=f"urn:uuid:{uuid.UUID(int=1)}",
        title=nasty,
        updated=1.0,
        link='https://x.test/"><x>',
        text=nasty,
        author=nasty,
    )
    feed = Feed(
        identity=f"urn:uuid:{uuid.UUID(int=2)}",
        title=nasty,
        link="https://x.test/",
        own_link="https://x.test/feed",
        entries=(entry,),
    )
    found = check_feed(write_feed(feed))
    assert [child.tag for child in found.iter() if child.tag.endswith("script")] == []
    assert "<script>" in (found.findtext(f"{ATOM}title") or "")
