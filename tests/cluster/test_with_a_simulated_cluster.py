# SPDX-License-Identifier: Apache-2.0
"""The client before a simulated API server, whose rules and faults are those of real ones."""

from __future__ import annotations

import asyncio
import contextlib
import json

import pytest

from okd_payload.cluster import Change, kinds
from okd_payload.cluster.lightkube_cluster import open_cluster
from okd_payload.cluster.objects import identify
from okd_payload.errors import AlreadyThere, Conflict, NoSuchKind, NoSuchObject, NotPermitted
from okd_payload.testing.kubernetes import MemoryCluster, SimulatedCluster
from okd_payload.testing.kubernetes import faults as fault
from okd_payload.testing.kubernetes.server import KubernetesServer

USER = "system:serviceaccount:default:limited"


@pytest.fixture
async def server():
    """A server with a bare Kubernetes."""
    async with KubernetesServer(SimulatedCluster()) as server:
        yield server


@pytest.fixture
async def cluster(server, tmp_path, clock):
    """The real client before it."""
    path = server.write_kubeconfig(tmp_path / "k")
    async with open_cluster(path, clock=clock, patience=1000) as cluster:
        yield cluster


def config_map(name, **data):
    """A ConfigMap."""
    document = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "labels": {"a": "b"}},
        "data": data,
    }
    return json.dumps(document).encode()


def plain(content):
    """An object without what two servers would make up differently."""
    document = json.loads(content)
    metadata = document["metadata"]
    for name in ("uid", "resourceVersion", "creationTimestamp", "managedFields", "annotations"):
        metadata.pop(name, None)
    return document


async def use(cluster):
    """Everything that writes and reads, in a row; what came of it, in words."""
    told = [plain(await cluster.create(kinds.CONFIG_MAP, config_map("a", x="1")))]
    for work in (
        cluster.create(kinds.CONFIG_MAP, config_map("a")),
        cluster.get(kinds.CONFIG_MAP, "none"),
        cluster.list(kinds.TASK_RUN),
        cluster.apply(kinds.CONFIG_MAP, config_map("a", x="2"), dry_run=True),
    ):
        try:
            told.append(plain(await work))
        except (AlreadyThere, NoSuchObject, NoSuchKind, Conflict) as error:
            told.append(type(error).__name__)
    told += [
        plain(await cluster.apply(kinds.CONFIG_MAP, config_map("b", y="1"))),
        plain(await cluster.patch(kinds.CONFIG_MAP, "b", b'{"data":{"y":null,"z":"3"}}')),
        [plain(item) for item in (await cluster.list(kinds.CONFIG_MAP, labels="a=b")).items],
        await cluster.may("get", kinds.POD, subresource="log"),
        await cluster.serves(kinds.POD),
        await cluster.serves(kinds.TASK_RUN),
        await cluster.server_version(),
        await cluster.delete(kinds.CONFIG_MAP, "b", wait=True),
        await cluster.delete(kinds.CONFIG_MAP, "b"),
    ]
    return told


async def test_both_ways_to_a_cluster_are_one(cluster):
    """What the twin without HTTP says is what the real client hears from the server."""
    async with MemoryCluster(cluster=SimulatedCluster()) as memory:
        assert await use(cluster) == await use(memory)


@pytest.mark.parametrize("seed", range(4))
async def test_work_among_faults(seed, cluster, server):
    """With a fault at every third request, each object is made once, and all are seen and gone."""
    server.faults.scatter(
        seed=seed,
        chance=0.35,
        most=300,
        faults=(
            fault.broken(503),
            fault.overloaded(),
            fault.Reset(),
            fault.LoseAnswer(),
            fault.Proxy(),
            fault.CutStream(after=300),
            fault.EndStream(after=200),
            fault.Compact(),
        ),
    )
    seen = {}

    async def watch():
        async with contextlib.aclosing(cluster.watch(kinds.CONFIG_MAP, labels="a=b")) as events:
            async for event in events:
                name = identify(event.content).name
                if event.change is Change.DELETED:
                    del seen[name]
                else:
                    seen[name] = event.content
                if name == "last":
                    return

    watching = asyncio.create_task(watch())
    for number in range(30):
        await cluster.create(kinds.CONFIG_MAP, config_map(f"m{number}"))
        if number % 3 == 0:
            await cluster.delete(kinds.CONFIG_MAP, f"m{number}")
    await cluster.create(kinds.CONFIG_MAP, config_map("last"))
    await asyncio.wait_for(watching, 60)
    expected = {f"m{number}" for number in range(30) if number % 3} | {"last"}
    assert set(seen) == expected
    server.faults.clear()
    there = await cluster.list(kinds.CONFIG_MAP, labels="a=b")
    assert {identify(item).name for item in there.items} == expected


async def test_a_missing_right(server, tmp_path, clock):
    """A right that a user lacks is told by verb, resource and namespace."""
    path = server.write_kubeconfig(tmp_path / "limited", user=USER)
    server.cluster.access.grant(USER, ["list"], ["configmaps"], namespace="default")
    async with open_cluster(path, clock=clock) as cluster:
        assert (await cluster.list(kinds.CONFIG_MAP)).resource_version
        assert not await cluster.may("create", kinds.CONFIG_MAP)
        with pytest.raises(NotPermitted, match="lacks the right to create configmaps in namesp"):
            await cluster.create(kinds.CONFIG_MAP, config_map("a"))
        watching = cluster.watch(kinds.CONFIG_MAP)
        with pytest.raises(NotPermitted, match="lacks the right to watch configmaps"):
            await anext(watching)


async def test_a_log_among_cuts(cluster, server):
    """A log that is cut again and again comes whole, each line once."""
    pod = {
        "metadata": {"name": "p"},
        "spec": {"containers": [{"name": "c", "image": "x"}]},
    }
    simulated = server.cluster
    simulated.create(kinds.POD, {"apiVersion": "v1", "kind": "Pod", **pod}, namespace="default")

    def become(state, phase):
        status = {"phase": phase, "containerStatuses": [{"name": "c", "state": {state: {}}}]}
        simulated.set_status(kinds.POD, "p", status, namespace="default")

    become("waiting", "Pending")
    server.faults.add(
        *(fault.CutStream(path="/log", after=after) for after in (10, 100, 700, 33)),
        fault.broken(500, path="/log"),
        fault.EndStream(path="/log", after=200),
    )
    lines = [f"line {number}\n" for number in range(200)]

    async def play():
        become("running", "Running")
        for line in lines:
            simulated.print_log("p", "c", line)
            await asyncio.sleep(0)
        become("terminated", "Succeeded")

    playing = asyncio.create_task(play())
    told = b"".join([piece async for piece in cluster.follow_log("p", "c")])
    await playing
    assert told.decode() == "".join(lines)
    assert server.count("GET", "/log") > 6


async def test_deletion_that_takes_its_time(cluster, server):
    """Waiting for a deletion outlasts finalizers and cuts."""
    document = json.loads(config_map("held"))
    document["metadata"]["finalizers"] = ["a.test/b"]
    await cluster.create(kinds.CONFIG_MAP, json.dumps(document).encode())
    server.faults.add(fault.EndStream(path="watch=true", after=1))
    deleting = asyncio.create_task(cluster.delete(kinds.CONFIG_MAP, "held", wait=True))
    async for _, changed in server.cluster.changes(kinds.CONFIG_MAP):
        if "deletionTimestamp" in changed["metadata"]:
            break
    assert not deleting.done()
    await cluster.patch(kinds.CONFIG_MAP, "held", b'{"metadata":{"finalizers":null}}')
    assert await asyncio.wait_for(deleting, 60)
