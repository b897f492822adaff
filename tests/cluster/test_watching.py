# SPDX-License-Identifier: Apache-2.0
"""Watches that outlive everything that ends them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_api import NOTHING, Reply, ScriptedApi, document, kubeconfig, status

from okd_payload.cluster import Change, kinds
from okd_payload.cluster.lightkube_cluster import open_cluster
from okd_payload.cluster.objects import identify
from okd_payload.errors import ClusterError, ClusterUnavailable, NoSuchKind, NotPermitted
from okd_payload.testing.clock import ManualClock


def thing(name, version, uid="u"):
    """An object in one state."""
    return {"kind": "Pod", "metadata": {"name": name, "uid": uid, "resourceVersion": str(version)}}


def line(change, content):
    """One event, as the server sends it."""
    return json.dumps({"type": change, "object": content}).encode() + b"\n"


def listed(version, *items):
    """A list."""
    return document({"metadata": {"resourceVersion": str(version)}, "items": list(items)})


EXPIRED = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}


async def take(cluster, count, **options):
    """The first events of a watch on pods, as short words."""
    words = []
    async with contextlib.aclosing(cluster.watch(kinds.POD, **options)) as events:
        async for event in events:
            words.append(f"{event.change.value} {identify(event.content).name}")
            if len(words) == count:
                return words
    raise AssertionError


async def test_what_is_there_comes_first(cluster, api):
    """Without a moment it begins with what is there, and goes on from the list."""
    stream = Reply(pieces=(line("MODIFIED", thing("a", 6)), line("DELETED", thing("b", 7))))
    api.script(listed(5, thing("a", 1), thing("b", 2)), stream)
    words = await take(cluster, 4, labels="x=y")
    assert words == ["ADDED a", "ADDED b", "MODIFIED a", "DELETED b"]
    query = dict(api.asked[1].query)
    assert 240 <= int(query.pop("timeoutSeconds")) <= 300
    assert query == {
        "watch": "true",
        "allowWatchBookmarks": "true",
        "labelSelector": "x=y",
        "resourceVersion": "5",
    }


async def test_silent_ends(cluster, api):
    """A stream that ends goes on from the last moment heard of, bookmarks included."""
    mark = line("BOOKMARK", {"kind": "Pod", "metadata": {"resourceVersion": "9"}})
    api.script(
        listed(5),
        Reply(pieces=(line("ADDED", thing("a", 6)),)),
        Reply(pieces=(mark,)),
        Reply(pieces=()),
        Reply(pieces=(line("ADDED", thing("b", 10)),)),
    )
    assert await take(cluster, 2) == ["ADDED a", "ADDED b"]
    versions = [asked.query["resourceVersion"] for asked in api.asked[1:]]
    assert versions == ["5", "6", "9", "9"]


@pytest.mark.parametrize(
    "end",
    [
        Reply(pieces=(line("ERROR", EXPIRED),)),
        status(410, "Expired", "too old"),
    ],
)
async def test_forgotten_moments(end, cluster, api):
    """After a 410 in either form a new list tells what changed and what is gone."""
    api.script(
        listed(5, thing("a", 1), thing("b", 2)),
        end,
        listed(20, thing("b", 15), thing("c", 16)),
        Reply(pieces=(line("ADDED", thing("d", 21)),)),
    )
    words = await take(cluster, 6)
    assert words == ["ADDED a", "ADDED b", "DELETED a", "MODIFIED b", "ADDED c", "ADDED d"]
    assert api.asked[-1].query["resourceVersion"] == "20"


async def test_from_a_moment(cluster, api):
    """From a moment on, ends of what was there then are told even if nobody saw them."""
    api.script(
        listed(5, thing("a", 1), thing("b", 2)),
        Reply(pieces=(line("ERROR", EXPIRED),)),
        listed(20, thing("b", 2)),
    )
    assert await take(cluster, 2, since="5") == ["DELETED a", "MODIFIED b"]
    first = api.asked[0].query
    assert (first["resourceVersion"], first["resourceVersionMatch"]) == ("5", "Exact")


async def test_from_a_moment_that_is_forgotten(cluster, api):
    """A moment that the server does not know any more begins with what is there."""
    api.script(status(410, "Expired"), listed(20, thing("b", 2)))
    assert await take(cluster, 1, since="5") == ["ADDED b"]


@pytest.mark.parametrize(
    "trouble",
    [
        NOTHING,
        status(503),
        status(429, headers={"Retry-After": "1"}),
        Reply(pieces=(line("ADDED", thing("a", 6))[:-20],), cut=True),
        Reply(pieces=(line("ERROR", {**EXPIRED, "code": 500, "message": "etcdserver: x"}),)),
        Reply(502, b"<html>"),
    ],
)
async def test_troubles(trouble, cluster, api):
    """Cuts in the middle of an event and failures of the server are waited for."""
    api.script(listed(5), trouble, Reply(pieces=(line("ADDED", thing("a", 6)),)))
    assert await take(cluster, 1) == ["ADDED a"]
    assert [asked.query["resourceVersion"] for asked in api.asked[1:]] == ["5", "5"]


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ([Reply(404, b"404 page not found\n")], NoSuchKind),
        ([status(403, "Forbidden")], NotPermitted),
        ([listed(5), status(403, "Forbidden")], NotPermitted),
        ([listed(5), status(503)], ClusterUnavailable),
        ([listed(5), NOTHING], ClusterUnavailable),
        ([listed(5), Reply(pieces=(b"<html>\n",))], ClusterError),
        ([listed(5), Reply(pieces=(line("ERROR", {**EXPIRED, "code": 400}),))], ClusterError),
    ],
)
async def test_what_cannot_be_mended(said, error, cluster, api):
    """Missing rights and kinds, and failures that outlast all patience, end the watch."""
    api.script(*said)
    with pytest.raises(error):
        await take(cluster, 1)


async def test_a_server_that_always_forgets(cluster, api):
    """A server that knows nothing of the moment it just named is not asked without end."""
    api.answer = lambda asked: status(410) if "watch" in asked.query else listed(5)
    with pytest.raises(ClusterUnavailable, match="forgets each moment"):
        await take(cluster, 1)


async def test_quiet_streams(cluster, api, clock):
    """Streams on which nothing happens for hours are no failure, however they end."""
    quiet = [Reply(pieces=(), cut=True)] * 8
    replies = [listed(5), *quiet, Reply(pieces=(line("ADDED", thing("a", 6)),))]

    def answer(asked):
        clock.advance(400 if "watch" in asked.query else 0)
        return replies.pop(0)

    api.answer = answer
    assert await take(cluster, 1) == ["ADDED a"]


class Server:
    """A server with a history, that ends its streams as ``ends`` say."""

    def __init__(self, history, ends):
        self.history = history
        self.ends = list(ends)
        self.now = 0
        self.oldest = 0

    def objects(self):
        """What is there now, by name."""
        state = {}
        for version, (name, uid) in enumerate(self.history[: self.now], 1):
            state.pop(name, None)
            if uid:
                state[name] = thing(name, version, uid)
        return state

    def answer(self, asked):
        if "watch" not in asked.query:
            if self.ends and self.ends[0] == "late":  # things happen before the list is read
                self.now = min(self.now + 1, len(self.history))
            return listed(self.now, *self.objects().values())
        since = int(asked.query["resourceVersion"])
        end, steps = self.ends.pop(0) if self.ends else "clean", 2
        if not self.ends:
            steps = len(self.history)
        if since < self.oldest:
            return Reply(pieces=(line("ERROR", EXPIRED),))
        self.now = min(max(self.now, since + steps), len(self.history))
        lines = [self.event(version) for version in range(since + 1, self.now + 1)]
        if end == "forget":
            self.oldest = self.now + 1 if self.now < len(self.history) else self.oldest
            self.now = min(self.now + 1, len(self.history))
            return Reply(pieces=(b"".join(lines[:1]), line("ERROR", EXPIRED)))
        if end == "half" and lines:
            return Reply(pieces=(b"".join(lines)[:-7],), cut=True)
        if end == "refuse":
            return status(503)
        return Reply(pieces=tuple(lines), cut=end == "cut")

    def event(self, version):
        """The change that made a version."""
        name, uid = self.history[version - 1]
        before = [uid for other, uid in self.history[: version - 1] if other == name][-1:]
        if not uid:
            return line("DELETED", thing(name, version, (before or ["u"])[0]))
        return line("MODIFIED" if before == [uid] else "ADDED", thing(name, version, uid))


def histories(draws):
    """Names with the uid that they get; an empty one is an end, which only what is there has."""
    there, history = {}, []
    for name, change in draws:
        if there.get(name):
            uid = {"end": "", "change": there[name]}.get(change, there[name])
        else:
            uid = f"{name}{len(history)}"
        there[name] = uid
        history.append((name, uid))
    return [*history, ("z", "last")]


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["change", "end"])), max_size=14),
    st.lists(st.sampled_from(["clean", "cut", "half", "forget", "refuse", "late"]), max_size=10),
)
def test_any_history_and_any_ends(draws, ends):
    """Whatever happens on the way, in the end the listener knows what the server has."""
    history = histories(draws)

    async def listen():
        scripted = ScriptedApi()
        model = Server(history, ends)
        scripted.answer = model.answer
        known = {}
        with tempfile.TemporaryDirectory() as folder:
            server = await asyncio.start_server(scripted.serve, "127.0.0.1", 0)
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            path = kubeconfig(Path(folder) / "k", url)
            async with (
                open_cluster(path, clock=ManualClock(), patience=1000) as cluster,
                contextlib.aclosing(cluster.watch(kinds.POD)) as events,
            ):
                async for event in events:
                    identity = identify(event.content)
                    if event.change is Change.DELETED:
                        assert identify(known.pop(identity.name)).uid == identity.uid
                    else:
                        assert (event.change is Change.MODIFIED) == (identity.name in known)
                        known[identity.name] = event.content
                    if identity.name == "z":
                        break
            server.close()
        return known, model.objects()

    known, present = asyncio.run(listen())
    assert {name: json.loads(content) for name, content in known.items()} == present
