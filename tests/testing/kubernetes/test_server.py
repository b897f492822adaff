# SPDX-License-Identifier: Apache-2.0
"""The API server over HTTP: faults, watches, logs, and the product's own client."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest

from okd_payload.cluster import Change
from okd_payload.cluster.kinds import CONFIG_MAP, POD
from okd_payload.cluster.lightkube_cluster import open_cluster
from okd_payload.testing.clock import ManualClock
from okd_payload.testing.kubernetes import SimulatedCluster
from okd_payload.testing.kubernetes.faults import (
    Compact,
    CutStream,
    EndStream,
    Faults,
    LoseAnswer,
    Proxy,
    Reset,
    Slow,
    broken,
    lost_race,
    overloaded,
)
from okd_payload.testing.kubernetes.server import KubernetesServer

_MAPS = "/api/v1/namespaces/default/configmaps"
_BROKEN = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError)


@pytest.fixture
async def server():
    """A server with a clock that nobody waits for."""
    async with KubernetesServer(SimulatedCluster(clock=ManualClock())) as running:
        yield running


@pytest.fixture
async def session(server):
    """An administrator's session."""
    headers = {"Authorization": f"Bearer {server.token()}"}
    async with aiohttp.ClientSession(headers=headers) as opened:
        yield opened


async def _get(server, session, path):
    async with session.get(server.url + path) as answer:
        return answer.status, await answer.text()


async def _make(server, session, name="x"):
    body = json.dumps({"metadata": {"name": name}, "data": {"a": "b" * 100}}).encode()
    headers = {"Content-Type": "application/json"}
    async with session.post(server.url + _MAPS, data=body, headers=headers) as answer:
        return answer.status


def _there(server, name="x"):
    return server.cluster.find(CONFIG_MAP, name, namespace="default") is not None


async def test_a_server_that_has_enough_says_when_to_come_again(server, session):
    """429 with Retry-After, as often as asked for."""
    server.faults.add(overloaded(seconds=7, times=2))
    for _ in range(2):
        async with session.get(server.url + _MAPS) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (429, "7")
    assert (await _get(server, session, _MAPS))[0] == 200


async def test_answers_in_place_of_what_was_asked(server, session):
    """Only for the requests that a fault is meant for, and nothing is done."""
    server.faults.add(broken(500, method="POST"), Proxy(path="configmaps", every=2))
    assert await _make(server, session) == 500
    assert (await _get(server, session, _MAPS))[0] == 200
    code, page = await _get(server, session, _MAPS)
    assert (code, "<html>" in page) == (502, True)
    server.faults.add(lost_race(method="PUT"))
    assert not _there(server)


async def test_connections_break_before_and_after_the_effect(server, session):
    """A client cannot tell which of the two it was."""
    server.faults.add(Reset(method="POST"))
    with pytest.raises(_BROKEN):
        await _make(server, session)
    assert not _there(server)
    server.faults.add(LoseAnswer(method="POST"))
    with pytest.raises(_BROKEN):
        await _make(server, session)
    assert _there(server)


@pytest.mark.parametrize("after", [0, 1, 100, 700])
async def test_watches_break_at_any_byte(server, session, after):
    """What arrived before the cut is the beginning of what would have come."""
    await _make(server, session, "x")
    await _make(server, session, "y")
    path = f"{_MAPS}?watch=1&resourceVersion=0&timeoutSeconds=1"
    _, whole = await _get(server, session, path)
    assert len(whole) > 700
    server.faults.add(CutStream(after=after, path="watch="))
    received = b""
    with pytest.raises(_BROKEN):
        async with session.get(server.url + path) as answer:
            async for piece in answer.content.iter_any():
                received += piece
    assert whole.encode().startswith(received)
    assert len(received) <= after


async def test_watches_end_between_lines(server, session):
    """As at their time-out, but earlier."""
    await _make(server, session, "x")
    await _make(server, session, "y")
    server.faults.add(EndStream(after=1))
    _, text = await _get(server, session, f"{_MAPS}?watch=1&resourceVersion=0")
    assert [json.loads(line)["type"] for line in text.splitlines()] == ["ADDED"]


async def test_history_is_forgotten_when_asked_for(server, session):
    """A watch from before gets its 410 in the stream."""
    start = server.cluster.state.store.revision
    await _make(server, session)
    server.faults.add(Compact(path="watch="))
    code, text = await _get(server, session, f"{_MAPS}?watch=1&resourceVersion={start}")
    assert code == 200
    assert json.loads(text)["object"]["reason"] == "Expired"


async def test_slowness_is_time_of_the_clock(server, session):
    """Nobody waits for it in a test with a clock of its own."""
    server.faults.add(Slow(seconds=30))
    assert (await _get(server, session, _MAPS))[0] == 200
    assert server.cluster.state.clock.waits == [30]


def test_chance_is_reproducible_and_comes_to_an_end():
    """The same seed and requests give the same faults, and not more than allowed."""
    told = []
    for _ in range(2):
        faults = Faults()
        faults.scatter(seed=3, chance=0.5, most=10)
        found = [faults.take("GET", f"/{number}?watch=1") for number in range(200)]
        told.append(found)
        assert sum(1 for fault in found if fault) == 10 == len(faults.happened)
    assert told[0] == told[1]


async def test_logs_are_text_in_the_part_that_was_asked_for(server, session):
    """By time, by number of lines, by bytes, and with moments."""
    container = {"name": "c", "image": "x"}
    metadata = {"name": "p", "namespace": "default"}
    server.cluster.create(POD, {"metadata": metadata, "spec": {"containers": [container]}})
    running = {"containerStatuses": [{"name": "c", "state": {"running": {}}}]}
    server.cluster.set_status(POD, "p", running, namespace="default")
    clock = server.cluster.state.clock
    for line in ("one\n", "two\n", "three\n"):
        server.cluster.print_log("p", "c", line)
        clock.advance(10)
    path = "/api/v1/namespaces/default/pods/p/log"
    for query, text in (
        ("", "one\ntwo\nthree\n"),
        ("?tailLines=1", "three\n"),
        ("?tailLines=0", ""),
        ("?limitBytes=5", "one\nt"),
        ("?sinceSeconds=20", "two\nthree\n"),
        ("?sinceTime=2023-11-14T22:13:40Z", "three\n"),
        ("?tailLines=1&timestamps=true", "2023-11-14T22:13:40.000000000Z three\n"),
    ):
        assert await _get(server, session, path + query) == (200, text), query
    assert (await _get(server, session, f"{path}?sinceTime=noon"))[0] == 400
    assert (await _get(server, session, f"{path}?limitBytes=0"))[0] == 422


async def test_lists_come_in_pages_of_one_moment(server, session):
    """Whatever changes between them."""
    for name in ("a", "b", "c", "d"):
        await _make(server, session, name)
    _, first = await _get(server, session, f"{_MAPS}?limit=2")
    metadata = json.loads(first)["metadata"]
    server.cluster.delete(CONFIG_MAP, "c", namespace="default")
    await _make(server, session, "e")
    _, second = await _get(server, session, f"{_MAPS}?limit=2&continue={metadata['continue']}")
    names = [each["metadata"]["name"] for each in json.loads(second)["items"]]
    assert (metadata["remainingItemCount"], names) == (2, ["c", "d"])


async def test_pods_are_evicted_by_their_subresource(server, session):
    """A pod that runs nowhere is gone at once."""
    container = {"name": "c", "image": "x"}
    metadata = {"name": "p", "namespace": "default"}
    server.cluster.create(POD, {"metadata": metadata, "spec": {"containers": [container]}})
    url = f"{server.url}/api/v1/namespaces/default/pods/p/eviction"
    async with session.post(url, json={"metadata": {"name": "p"}}) as answer:
        assert (answer.status, (await answer.json())["status"]) == (201, "Success")
    assert server.cluster.find(POD, "p", namespace="default") is None


async def test_changes_from_another_thread_are_noticed(server, session):
    """A command has its own event loop, and a test may look into the cluster meanwhile."""
    start = server.cluster.state.store.revision
    path = f"{_MAPS}?watch=1&resourceVersion={start}"
    async with session.get(server.url + path) as answer:
        document = {"metadata": {"name": "x", "namespace": "default"}}
        await asyncio.to_thread(server.cluster.create, CONFIG_MAP, document)
        line = await asyncio.wait_for(answer.content.readline(), timeout=60)
    assert json.loads(line)["object"]["metadata"]["name"] == "x"


async def test_health_and_groups_are_told_to_everybody_who_is_known(server, session):
    """And paths that nobody knows are a page, no Status."""
    assert await _get(server, session, "/healthz") == (200, "ok")
    _, groups = await _get(server, session, "/apis")
    assert "apps" in [each["name"] for each in json.loads(groups)["groups"]]
    assert await _get(server, session, "/apis/nosuch.example.com") == (404, "404 page not found\n")
    assert await _get(server, session, "/api/v1/pods/p/nosuch") == (404, "404 page not found\n")


async def test_our_own_client_works_with_it(tmp_path):
    """From the kubeconfig that the server writes, through faults, to the end of a watch."""
    async with KubernetesServer() as server:
        kubeconfig = server.write_kubeconfig(tmp_path / "kubeconfig")
        server.faults.scatter(seed=1, chance=0.3, most=5, faults=[broken(503), Reset(method="GET")])
        clock = ManualClock()
        async with open_cluster(kubeconfig, clock=clock, patience=1000) as cluster:
            watch = cluster.watch(CONFIG_MAP)
            first = asyncio.ensure_future(anext(watch))
            document = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}
            await cluster.create(CONFIG_MAP, json.dumps(document).encode())
            assert (await first).change is Change.ADDED
            applied = json.dumps({**document, "data": {"a": "b"}}).encode()
            changed = json.loads(await cluster.apply(CONFIG_MAP, applied))
            assert changed["data"] == {"a": "b"}
            assert await cluster.delete(CONFIG_MAP, "x", wait=True)
            assert await cluster.server_version() == "v1.36.2"
            assert await cluster.may("create", CONFIG_MAP)
            await watch.aclose()
    assert server.faults.happened
