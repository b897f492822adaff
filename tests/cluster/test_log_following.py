# SPDX-License-Identifier: Apache-2.0
"""Logs from the first line to the last, of containers that wait, run, end and go away."""

from __future__ import annotations

import asyncio
import contextlib
import json

import pytest
from scripted_api import NOTHING, Reply, document, status

from okd_payload.errors import ClusterUnavailable, NoSuchObject, NotPermitted

POD = "/api/v1/namespaces/builds/pods/p"
WAITING = status(400, "BadRequest", 'container "c" in pod "p" is waiting to start: PodInitializing')


def pod(state="running", phase="Running", version=5):
    """A pod with one container."""
    container = {"name": "c", "state": {state: {}}}
    return {
        "kind": "Pod",
        "metadata": {"name": "p", "uid": "u", "resourceVersion": str(version)},
        "status": {"phase": phase, "containerStatuses": [container] if state else []},
    }


def lines(*texts, begin=0):
    """Log lines with times, a second each."""
    return tuple(
        f"2025-01-01T00:00:{begin + number:02}.000000000Z {text}\n".encode()
        for number, text in enumerate(texts)
    )


class Node:
    """A server with one pod, whose log answers come from a list."""

    def __init__(self, api, *logs, pods=(), events=()):
        self.logs = list(logs)
        self.pods = list(pods) or [pod("terminated")]
        self.events = tuple(events)
        self.queries = []
        api.answer = self.answer

    def answer(self, asked):
        if asked.path.endswith("/log"):
            self.queries.append(asked.query)
            return self.logs.pop(0) if len(self.logs) > 1 else self.logs[0]
        if "watch" in asked.query:
            return Reply(pieces=self.events)
        now = self.pods.pop(0) if len(self.pods) > 1 else self.pods[0]
        if asked.path != POD:
            return document({"metadata": {"resourceVersion": "5"}, "items": [now] if now else []})
        return document(now) if now else status(404, "NotFound", name="p")


async def read(cluster, **options):
    """All of the log."""
    return b"".join([piece async for piece in cluster.follow_log("p", "c", **options)])


async def test_a_log_to_its_end(cluster, api):
    """The log is followed with times, and once more read when the container has ended."""
    first, rest = lines("one", "two"), lines("two", "three", begin=1)
    node = Node(api, Reply(pieces=first), Reply(pieces=rest))
    assert await read(cluster) == b"one\ntwo\nthree\n"
    assert node.queries == [
        {"container": "c", "follow": "true", "timestamps": "true"},
        {"container": "c", "timestamps": "true", "sinceTime": "2025-01-01T00:00:00Z"},
    ]


async def test_an_end_that_is_none(cluster, api):
    """A stream that the server ends while the container runs is begun anew."""
    answers = [lines("a"), lines("a", "b"), lines("b", "c", begin=1), lines("c", begin=2)]
    running = pod()
    node = Node(
        api,
        *(Reply(pieces=pieces) for pieces in answers),
        pods=[running, running, pod("terminated")],
    )
    assert await read(cluster) == b"a\nb\nc\n"
    assert len(node.queries) == 4


@pytest.mark.parametrize("trouble", [NOTHING, status(503), status(500, message="dial tcp")])
async def test_cuts(trouble, cluster, api):
    """A cut in the middle of a line, and servers and nodes that are away, are waited for."""
    whole = lines("first", "second")
    cut = Reply(pieces=(whole[0], whole[1][:-3]), cut=True)
    Node(api, cut, trouble, trouble, Reply(pieces=whole), Reply(pieces=whole[1:]))
    assert await read(cluster) == b"first\nsecond\n"


async def test_a_container_that_waits(cluster, api):
    """While a container waits its pod is watched, and the log is asked for once it runs."""
    running = json.dumps({"type": "MODIFIED", "object": pod(version=7)}).encode() + b"\n"
    still = json.dumps({"type": "MODIFIED", "object": pod("waiting", "Pending", 6)}).encode()
    node = Node(
        api,
        WAITING,
        Reply(pieces=lines("a")),
        pods=[pod("waiting", "Pending"), pod("waiting", "Pending"), pod("terminated")],
        events=(still + b"\n", running),
    )
    assert await read(cluster) == b"a\n"
    assert len(node.queries) == 3


async def test_a_pod_that_goes_before_it_starts(cluster, api):
    """Whoever waits for a container whose pod is deleted is told."""
    gone = json.dumps({"type": "DELETED", "object": pod("waiting", "Pending", 8)}).encode() + b"\n"
    Node(api, WAITING, pods=[pod("waiting", "Pending")], events=(gone,))
    with pytest.raises(NoSuchObject, match="went before its container started"):
        await read(cluster)


async def test_a_pod_that_never_ran(cluster, api):
    """The log of a container that was never started, as of an evicted pod, is empty."""
    Node(api, WAITING, pods=[pod("", "Failed")])
    assert await read(cluster) == b""


async def test_what_is_there_now(cluster, api):
    """Without following the log is read once, and that of a waiting container is empty."""
    node = Node(api, Reply(pieces=lines("a")))
    assert await read(cluster, follow=False) == b"a\n"
    assert node.queries == [{"container": "c", "timestamps": "true"}]
    Node(api, WAITING)
    assert await read(cluster, follow=False) == b""


async def test_a_pod_that_is_gone(cluster, api):
    """A pod that is not there is an error; one that goes after a good end of its log is none."""
    absent = status(404, "NotFound", 'pods "p" not found', name="p", kind="pods")
    Node(api, absent)
    with pytest.raises(NoSuchObject, match="the log of Pod p in namespace builds: the pod is gone"):
        await read(cluster)
    Node(api, Reply(pieces=lines("a")), pods=[None])
    assert await read(cluster) == b"a\n"
    Node(api, Reply(pieces=lines("a")), absent)
    assert await read(cluster) == b"a\n"
    Node(api, Reply(pieces=lines("a"), cut=True), absent)
    with pytest.raises(NoSuchObject, match="what is left of its log"):
        await read(cluster)


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (status(400, "BadRequest", "container c is not valid for pod p"), NoSuchObject),
        (status(403, "Forbidden", "no"), NotPermitted),
        (status(503), ClusterUnavailable),
        (NOTHING, ClusterUnavailable),
    ],
)
async def test_what_cannot_be_read(said, error, cluster, api):
    """Containers that are not there, missing rights and lasting failures are errors."""
    Node(api, said)
    with pytest.raises(error, match="log of Pod p"):
        await read(cluster)


async def test_a_quiet_container(cluster, api, clock):
    """A container that prints nothing for hours is no failure, though its streams are cut."""
    begun, rest = Reply(pieces=lines("a"), cut=True), Reply(pieces=lines("a", "b"))
    node = Node(api, begun, *[Reply(pieces=(), cut=True)] * 8, rest, rest)

    def answer(asked):
        clock.advance(600 if asked.path.endswith("/log") else 0)
        return node.answer(asked)

    api.answer = answer
    assert await read(cluster) == b"a\nb\n"


async def test_a_slow_reader(cluster, api):
    """Pieces come while the log goes on, and a reader may stop at any of them."""
    hold = asyncio.Event()
    Node(api, Reply(pieces=lines("a"), hold=hold))
    async with contextlib.aclosing(cluster.follow_log("p", "c")) as pieces:
        async for piece in pieces:
            assert piece == b"a\n"
            break
    hold.set()


async def test_a_large_log(cluster, api):
    """A log of megabytes comes whole, and what is kept of it is bounded."""
    pieces = tuple(b"".join(lines("x" * 900)) * 60 for _ in range(60))
    Node(api, Reply(pieces=pieces), Reply(pieces=pieces[:1]))
    content = await read(cluster)
    assert content == (b"x" * 900 + b"\n") * 3600
