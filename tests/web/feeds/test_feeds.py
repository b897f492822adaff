# SPDX-License-Identifier: Apache-2.0
"""Feeds are valid, tell what changed, and carry nothing that a reader would run."""

from __future__ import annotations

import datetime as dt
import xml.etree.ElementTree as ET

import pytest
from asking import add_release
from rig import STREAM

from okd_payload.controller.model import Phase
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
        assert identity.startswith("https://")
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
        identity="https://x.test/1",
        title=nasty,
        updated=1.0,
        link='https://x.test/"><x>',
        text=nasty,
        author=nasty,
    )
    feed = Feed(
        identity="https://x.test/feed",
        title=nasty,
        link="https://x.test/",
        own_link="https://x.test/feed",
        entries=(entry,),
    )
    found = check_feed(write_feed(feed))
    assert [child.tag for child in found.iter() if child.tag.endswith("script")] == []
    assert "<script>" in (found.findtext(f"{ATOM}title") or "")
