# SPDX-License-Identifier: Apache-2.0
"""Changelogs are made once, a few at a time, and never from wherever an image points."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import msgspec
import pytest
from litestar.testing import AsyncTestClient
from rig import INPUT, RELEASES, STREAM, Rig
from sqlalchemy import Connection

from okd_payload.controller.creation.making import make_payload
from okd_payload.controller.inputs.reading import read_input
from okd_payload.controller.model import Phase, Release
from okd_payload.controller.records import releases
from okd_payload.errors import NotFound, SourceError
from okd_payload.source.history import CommitRange, LoggedCommit
from okd_payload.testing.small_stream import push_component, push_small_stream
from okd_payload.web.application import make_application
from okd_payload.web.compatibility.changelogs import Changelogs, NotYet, TooBusy
from okd_payload.web.site import Site


class ScriptedHistory:
    """Gives one commit, when the test lets it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.let = asyncio.Event()
        self.let.set()
        self.error = ""

    async def between(self, location: str, before: str, after: str) -> CommitRange:
        """One merged change, or the error of the test."""
        self.asked.append(location)
        await self.let.wait()
        if self.error:
            raise SourceError(self.error)
        subject = "Merge pull request #7 from somebody/branch"
        body = "OKD-1: <script>alert(1)</script> & more"
        commit = LoggedCommit(id=after, parents=(before, "2"), time=1, subject=subject, body=body)
        return CommitRange(commits=(commit,))


@pytest.fixture
async def two(rig: Rig) -> tuple[Release, Release]:
    """Two releases, between which a component changed."""
    configuration = rig.configure()
    made = []
    for number in (1, 2):
        await push_small_stream(rig.repository(INPUT), change=str(number))
        images = await read_input(rig.surroundings, configuration)
        release = Release(
            name=f"{STREAM}-{number}",
            stream=STREAM,
            created=float(number),
            changed=float(number),
            input_hash=images.input_hash,
        )
        payload = await make_payload(rig.surroundings, configuration, release, images.images)
        made.append(
            msgspec.structs.replace(
                release, phase=Phase.ACCEPTED, digest=payload.digest, pull_spec=payload.pull_spec
            )
        )

    def unit(connection: Connection) -> None:
        for each in made:
            releases.create(connection, each, ())

    await rig.database.write(unit)
    return made[0], made[1]


def site_of(rig: Rig, history: ScriptedHistory | None) -> Site:
    """What is served, with a history of the test."""
    return Site(surroundings=rig.surroundings, history=history)


async def test_a_changelog_is_made_once_and_remembered(
    rig: Rig, two: tuple[Release, Release]
) -> None:
    """However many ask at the same time, and after."""
    changelogs = Changelogs(site_of(rig, ScriptedHistory()))
    first, again = await asyncio.gather(changelogs.get(*two), changelogs.get(*two))
    assert first is again
    assert await changelogs.get(*two) is first
    assert (first.before.name, first.after.name) == (f"{STREAM}-1", f"{STREAM}-2")


async def test_payloads_are_read_from_where_they_are_kept(
    rig: Rig, two: tuple[Release, Release]
) -> None:
    """Two layouts have one name, which no registry knows, as in the demonstration."""
    rig.configure(content_name="localhost/okd", releases_name="localhost/okd")
    before, after = (
        msgspec.structs.replace(each, pull_spec=f"localhost/okd@{each.digest}") for each in two
    )
    made = await Changelogs(site_of(rig, None)).get(before, after)
    assert made.after.name == after.name
    rig.streams.clear()  # then its name is all that is known
    with pytest.raises(NotFound):
        await Changelogs(site_of(rig, None)).read(after)


async def test_the_page_is_one_of_this_site(rig: Rig, two: tuple[Release, Release]) -> None:
    """In its style, fit for phones and the dark, and with a way back."""
    async with AsyncTestClient[Any](make_application(site_of(rig, None))) as client:
        asked = {"from": two[0].name, "to": two[1].name, "format": "html"}
        page = (await client.get("/changelog", params=asked)).text
        style = re.search(r'<link rel="stylesheet" href="([^"]+)">', page)
        assert style is not None
        assert (await client.get(style[1])).status_code == 200
    assert 'name="viewport"' in page
    assert f'<a href="/releasetag/{two[1].name}">Back to the release</a>' in page


async def test_who_waits_too_long_comes_back(rig: Rig, two: tuple[Release, Release]) -> None:
    """Instead of holding a connection for as long as it takes."""
    changelogs = Changelogs(site_of(rig, None), patience=0.0)
    with pytest.raises(NotYet):
        await changelogs.get(*two)
    patient = Changelogs(site_of(rig, None))
    assert (await patient.get(*two)).after.name == two[1].name


async def test_only_so_many_are_under_way(
    rig: Rig, two: tuple[Release, Release], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others are told to come back, instead of filling memory."""
    monkeypatch.setattr("okd_payload.web.compatibility.changelogs._WAITING", 0)
    with pytest.raises(TooBusy):
        await Changelogs(site_of(rig, None)).get(*two)
    async with AsyncTestClient[Any](make_application(site_of(rig, None))) as client:
        answer = await client.get("/changelog", params={"from": two[0].name, "to": two[1].name})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")


async def test_what_cannot_be_read_is_not_remembered(
    rig: Rig, two: tuple[Release, Release]
) -> None:
    """The next time it may be there."""
    changelogs = Changelogs(site_of(rig, None))
    gone = msgspec.structs.replace(two[1], digest=None, pull_spec=f"{RELEASES}:nothing")
    for _ in range(2):
        with pytest.raises(NotFound):
            await changelogs.get(two[0], gone)
    async with AsyncTestClient[Any](make_application(site_of(rig, None))) as client:
        await rig.database.write(lambda unit: releases.change(unit, gone, time=3.0))
        answer = await client.get("/changelog", params={"from": two[0].name, "to": gone.name})
    assert answer.status_code == 502
    assert "nothing" in answer.text


@pytest.mark.parametrize(
    ("location", "is_asked"),
    [
        ("https://github.com/example/etcd", True),
        ("http://github.com/example/etcd", False),
        ("file:///etc", False),
        ("https://169.254.169.254/latest", False),
        ("https://github.com@evil.test/example/etcd", False),
        ("https://github.com:8443/example/etcd", False),
        ("ssh://git@github.com/example/etcd", False),
    ],
)
async def test_histories_are_read_from_forges_only(
    rig: Rig, location: str, *, is_asked: bool
) -> None:
    """What an image says of its source is foreign: it sends us nowhere."""
    history = ScriptedHistory()
    configuration = rig.configure()
    made = []
    for number in (1, 2):
        await push_small_stream(rig.repository(INPUT))
        labels = {
            "io.openshift.build.source-location": location,
            "io.openshift.build.commit.id": str(number) * 40,
        }
        await push_component(rig.repository(INPUT), "etcd", {"etcd": str(number)}, labels=labels)
        images = await read_input(rig.surroundings, configuration)
        release = Release(
            name=f"{STREAM}-{number}", stream=STREAM, created=1.0, changed=1.0, input_hash=""
        )
        payload = await make_payload(rig.surroundings, configuration, release, images.images)
        made.append(
            msgspec.structs.replace(release, digest=payload.digest, pull_spec=payload.pull_spec)
        )
    changelog = await Changelogs(site_of(rig, history)).get(*made)
    moved = [each for each in changelog.updated if "etcd" in each.source.images]
    assert history.asked == ([location] if is_asked else [])
    assert [bool(each.problem) for each in moved] == [not is_asked]
    async with AsyncTestClient[Any](make_application(site_of(rig, history))) as client:

        def unit(connection: Connection) -> None:
            for each in made:
                releases.create(connection, each, ())

        await rig.database.write(unit)
        for form in ("html", "markdown"):
            answer = await client.get(
                "/changelog", params={"from": made[0].name, "to": made[1].name, "format": form}
            )
            assert answer.status_code == 200
            assert "<script>" not in answer.text
