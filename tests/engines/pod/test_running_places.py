# SPDX-License-Identifier: Apache-2.0
"""Places for builds: those that run count, whoever made them, and a free one is noticed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from okd_payload.cluster import ObjectKind
from okd_payload.engines.pod.object_watch import ObjectWatch
from okd_payload.engines.pod.running_places import RunningPlaces
from okd_payload.testing.kubernetes import MemoryCluster

KIND = ObjectKind("example.com/v1", "Errand", "errands")


class Metadata(msgspec.Struct, frozen=True):
    """Who it is."""

    name: str
    uid: str = ""


class Errand(msgspec.Struct, frozen=True):
    """Something that runs until it is done."""

    metadata: Metadata
    key: str = ""
    is_over: bool = msgspec.field(default=False, name="done")

    @property
    def name(self) -> str:
        """As written."""
        return self.metadata.name

    @property
    def uid(self) -> str:
        """As the cluster says."""
        return self.metadata.uid


@pytest.fixture
def cluster() -> MemoryCluster:
    """A cluster that has errands."""
    cluster = MemoryCluster("builds")
    cluster.simulated.serve(KIND, status=False)
    return cluster


@pytest.fixture
async def watch(cluster: MemoryCluster) -> AsyncIterator[ObjectWatch[Errand]]:
    """A watch of all errands."""
    decode = msgspec.json.Decoder(Errand).decode
    watch = ObjectWatch(cluster, KIND, decode, selector="")
    async with watch.opened():
        yield watch


async def make(cluster: MemoryCluster, name: str, **fields: object) -> bytes:
    """Make an errand."""
    document = {
        "apiVersion": "example.com/v1",
        "kind": "Errand",
        "metadata": {"name": name},
        **fields,
    }
    return await cluster.create(KIND, msgspec.json.encode(document))


async def test_a_place_is_free_when_something_ends(cluster, watch):
    """What somebody else began counts, until it is over."""
    watch.learn(await make(cluster, "other"))
    places = RunningPlaces(watch, count=1)
    entered = asyncio.Event()

    async def take() -> None:
        async with places.taken():
            entered.set()

    taking = asyncio.create_task(take())
    await asyncio.sleep(0)
    assert not entered.is_set()
    await cluster.patch(KIND, "other", b'{"done": true}')
    async with asyncio.timeout(60):
        await taking


async def test_a_place_in_which_nothing_was_made_is_free_again(watch):
    """A refused creation changes nothing in the cluster, and still nobody waits for ever."""
    places = RunningPlaces(watch, count=1)
    refused = asyncio.Event()

    async def fail() -> None:
        async with places.taken():
            await refused.wait()
            raise ValueError

    async def take() -> None:
        async with places.taken():
            pass

    failing, taking = asyncio.create_task(fail()), asyncio.create_task(take())
    for _ in range(3):
        await asyncio.sleep(0)
    refused.set()
    async with asyncio.timeout(60):
        await taking
    with pytest.raises(ValueError):
        await failing


async def test_objects_are_found_by_their_key(cluster, watch):
    """Also when one was deleted and its name given to another."""
    watch.learn(await make(cluster, "one", key="a"))
    watch.learn(await make(cluster, "two", key="a", done=True))
    assert ({errand.name for errand in watch.of_key("a")}, watch.running) == ({"one", "two"}, 1)
    await cluster.delete(KIND, "one")
    watch.learn(await make(cluster, "one", key="b"))
    assert [errand.name for errand in watch.of_key("a")] == ["two"]
    assert [errand.name for errand in watch.of_key("b")] == ["one"]
