# SPDX-License-Identifier: Apache-2.0
"""Downloads and mounts, with everything that happens on the way."""

from __future__ import annotations

import asyncio
import random
from contextlib import aclosing

import msgspec
import pytest

from okd_payload.errors import (
    DigestMismatch,
    NotFound,
    RegistryRefused,
    RegistryUnavailable,
    Unauthorized,
)
from okd_payload.oci.digest import digest_of
from okd_payload.oci.reference import parse_reference
from okd_payload.oci.registry import RegistryClient, RegistrySettings
from okd_payload.testing.images import blob_of
from okd_payload.testing.memory_repository import MemoryRepository
from okd_payload.testing.registry_api import Ranges
from okd_payload.testing.registry_faults import (
    CorruptAnswer,
    CutAnswer,
    Reply,
    Reset,
    Silence,
    SlowAnswer,
    StallAnswer,
)
from okd_payload.testing.registry_server import RegistryServer, ServerOptions

CONTENT = random.Random(0).randbytes(3_000_000)


async def _read(repository, descriptor):
    return b"".join([chunk async for chunk in repository.blobs.read(descriptor)])


def _ranges(server):
    return [item.headers.get("range") for item in server.requests if "/blobs/" in item.path]


@pytest.fixture
def place(open_path):
    """The repository okd/a through the client."""
    return open_path("okd/a")


@pytest.fixture
def blob(server):
    """A blob of three megabytes that is in okd/a."""
    return server.repository("okd/a").add_blob(CONTENT)


async def test_a_cut_download_goes_on_where_it_stopped(server, place, blob):
    """Every byte is fetched once, however often the connection breaks."""
    server.faults.add(CutAnswer(path="/blobs/", after=1_000_000, times=2))
    assert await _read(place, blob) == CONTENT
    first, second, third = _ranges(server)
    assert first is None
    assert second.startswith("bytes=")
    assert third.startswith("bytes=")
    begin = [int(item[len("bytes=") : -1]) for item in (second, third)]
    assert 0 < begin[0] < begin[1] < len(CONTENT)


async def test_a_silent_download_goes_on(server, place, blob):
    """A connection that stays open and brings nothing counts as broken."""
    server.faults.add(StallAnswer(path="/blobs/", after=1_000_000))
    assert await _read(place, blob) == CONTENT
    assert len(_ranges(server)) == 2


async def test_a_slow_download_is_no_stall(server, place):
    """As long as bytes come, however slowly, the connection is kept."""
    blob = server.repository("okd/a").add_blob(CONTENT[:1000])
    server.faults.add(SlowAnswer(path="/blobs/", piece=200, pause=0.1))
    assert await _read(place, blob) == CONTENT[:1000]
    assert len(_ranges(server)) == 1


@pytest.mark.parametrize("kind", [Ranges.IGNORED, Ranges.WRONG])
async def test_registries_without_ranges_are_resumed_too(client, kind):
    """Bytes that we have already are passed over; bytes of a wrong range are never used."""
    async with RegistryServer(ServerOptions(ranges=kind)) as server:
        blob = server.repository("okd/a").add_blob(CONTENT)
        server.faults.add(CutAnswer(path="/blobs/", after=1_000_000))
        place = client.repository(parse_reference(f"{server.host}/okd/a"))
        assert await _read(place, blob) == CONTENT


async def test_a_refused_range_is_done_without(server, place, blob):
    """A registry that answers 416 is asked for the whole."""
    server.faults.add(CutAnswer(path="/blobs/", after=1_000_000), Reply(path="/blobs/", status=416))
    assert await _read(place, blob) == CONTENT
    assert [item is None for item in _ranges(server)] == [True, False, True]


@pytest.mark.parametrize("at", [0, -1])
async def test_corrupt_content_is_never_whole(server, place, blob, at):
    """A changed byte is found at the latest after the last chunk."""
    server.faults.add(CorruptAnswer(path="/blobs/", at=at))
    with pytest.raises(DigestMismatch, match=blob.digest):
        await _read(place, blob)


async def test_corruption_before_a_cut_is_found(server, place, blob):
    """The hash runs over all parts of a download."""
    server.repository("okd/a").blobs[blob.digest] = b"x" + CONTENT[1:]
    server.faults.add(CutAnswer(path="/blobs/", after=1_000_000))
    with pytest.raises(DigestMismatch):
        await _read(place, blob)


@pytest.mark.parametrize("size", [0, len(CONTENT) - 1, len(CONTENT) + 1])
async def test_another_size_is_said_before_anything_is_read(server, place, blob, size):
    """A registry whose blob has another size than the manifest says is not read from."""
    with pytest.raises(DigestMismatch, match=rf"has {len(CONTENT)} bytes instead of {size}"):
        await _read(place, msgspec.structs.replace(blob, size=size))


async def test_overload_is_waited_out(server, place, blob, clock):
    """A burst of 429 with Retry-After is waited for as long as the registry says."""
    server.faults.add(Reply(path="/blobs/", status=429, headers={"Retry-After": "9"}, times=3))
    assert await _read(place, blob) == CONTENT
    assert clock.waits.count(9) >= 3


@pytest.mark.parametrize(
    "fault", [Reply(path="/blobs/", status=503, times=3), Reset(path="/blobs/", times=3)]
)
async def test_passing_failures_are_waited_out(server, place, blob, fault, clock):
    """Answers of 503 and broken connections are tried again with growing waits."""
    server.faults.add(fault)
    assert await _read(place, blob) == CONTENT
    assert clock.waits == sorted(clock.waits)
    assert 1 <= len(clock.waits) <= 3


async def test_a_broken_connection_now_and_then_costs_little(server, place, clock):
    """With every third connection broken, twenty blobs arrive."""
    blobs = [server.repository("okd/a").add_blob(b"%d" % number) for number in range(20)]
    server.faults.add(Reset(path="/blobs/", times=-1, every=3))
    contents = await asyncio.gather(*(_read(place, blob) for blob in blobs))
    assert contents == [b"%d" % number for number in range(20)]
    assert clock.monotonic() < 60


async def test_a_dead_registry_is_given_up_in_time(server, place, blob, clock):
    """After the deadline the error says what was tried, for how long and why it failed."""
    await place.blobs.stat(blob.digest)
    server.faults.add(Reply(path="/blobs/", status=503, times=-1))
    with pytest.raises(
        RegistryUnavailable, match=r"reading the blob .*: given up after \d+ tries in .*: .* 503"
    ):
        await _read(place, blob)
    assert 200 < clock.monotonic() <= 300


async def test_a_silent_registry_is_given_up_in_time(server, place, clock):
    """A registry that takes requests and never answers is left before long."""
    server.faults.add(Silence(times=-1))
    with pytest.raises(RegistryUnavailable, match="went silent"):
        await place.blobs.stat(digest_of(b"x"))
    assert clock.monotonic() <= 15


async def test_an_answer_of_500_is_doubted(server, place, blob, clock):
    """Behind 500 is most likely a fault that stays: it is tried again for less long."""
    await place.blobs.stat(blob.digest)
    server.faults.add(Reply(path="/blobs/", status=500, times=-1))
    with pytest.raises(RegistryUnavailable, match="500 Internal Server Error"):
        await _read(place, blob)
    assert 5 < clock.monotonic() <= 15


async def test_absent_blobs_are_not_found_at_once(place, clock):
    """NotFound comes with the first step and without a second try."""
    with pytest.raises(NotFound, match=r"okd/a@sha256:.* blob unknown to registry"):
        await _read(place, blob_of(b"absent", "x"))
    assert clock.waits == []


async def test_a_reader_that_stops_gives_its_place_back(server, place, blob):
    """Whoever leaves in the middle frees connection and slot for the others."""
    for _ in range(40):
        async with aclosing(place.blobs.read(blob)) as chunks:
            async for _chunk in chunks:
                break
    assert await _read(place, blob) == CONTENT


async def test_no_more_downloads_at_once_than_allowed(server, clock):
    """However many tasks read, the bound per host holds."""
    blobs = [server.repository("okd/a").add_blob(b"%d" % number) for number in range(30)]
    settings = RegistrySettings(max_concurrency=4)
    async with RegistryClient(settings, clock=clock) as client:
        place = client.repository(parse_reference(f"{server.host}/okd/a"))
        server.faults.add(SlowAnswer(path="/blobs/", piece=1, pause=0.005, times=-1))
        await asyncio.gather(*(_read(place, blob) for blob in blobs))
    assert 2 <= server.busiest <= 4


async def test_redirects_are_followed_anew_after_a_cut(client):
    """A resumed download asks the registry for a fresh address."""
    async with RegistryServer(ServerOptions(redirect_blobs=True)) as server:
        blob = server.repository("okd/a").add_blob(CONTENT)
        server.faults.add(
            CutAnswer(path="/storage/", after=1_000_000), Reply(path="/storage/", status=403)
        )
        place = client.repository(parse_reference(f"{server.host}/okd/a"))
        assert await _read(place, blob) == CONTENT
        assert server.count("GET", "/blobs/") == 3
        assert await place.blobs.stat(blob.digest) == len(CONTENT)


async def test_endless_redirects_are_refused(server, place, blob):
    """A registry that sends us round in circles is left."""
    circle = {"Location": f"/v2/okd/a/blobs/{blob.digest}"}
    server.faults.add(Reply(path="/blobs/", status=307, headers=circle, times=-1))
    with pytest.raises(RegistryRefused, match="redirects more than 5 times"):
        await _read(place, blob)


async def test_a_blob_of_unknown_size_counts_as_absent(server, place, blob):
    """To write it once more is the safe mistake."""
    server.faults.add(Reply(method="HEAD", status=200, headers={"Transfer-Encoding": "chunked"}))
    assert await place.blobs.stat(blob.digest) is None
    assert await place.blobs.stat(blob.digest) == len(CONTENT)


async def test_a_mount_moves_no_bytes(server, open_path, blob):
    """One POST takes a blob from a sibling repository."""
    assert await open_path("okd/b").blobs.mount(blob, open_path("okd/a"))
    assert server.repository("okd/b").blobs == {blob.digest: CONTENT}
    assert [item.method for item in server.requests] == ["POST"]


async def test_what_cannot_be_mounted_leaves_nothing_behind(client):
    """An upload that a registry begins instead of a mount is cancelled."""
    async with RegistryServer(ServerOptions(mounts=False)) as server:
        blob = server.repository("okd/a").add_blob(CONTENT)
        origin, place = (
            client.repository(parse_reference(f"{server.host}/okd/{name}")) for name in "ab"
        )
        assert not await place.blobs.mount(blob, origin)
        assert server.repository("okd/b").uploads == {}
        assert server.repository("okd/b").blobs == {}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405])
async def test_a_refused_mount_is_no_error(server, open_path, blob, status):
    """However a registry refuses a mount, the blob can still be copied."""
    server.faults.add(Reply(method="POST", status=status, times=-1))
    assert not await open_path("okd/b").blobs.mount(blob, open_path("okd/a"))


async def test_only_siblings_are_mounted(server, open_path, blob):
    """Nothing is asked when the origin is elsewhere; a repository has what it has."""
    place = open_path("okd/a")
    assert not await place.blobs.mount(blob, MemoryRepository())
    other = open_path("x").blobs.host
    assert other is place.blobs.host
    assert server.requests == []
    assert await place.blobs.mount(blob, place)
    assert not await place.blobs.mount(blob_of(b"absent", "x"), place)


async def test_unauthorized_is_not_absent(server, place):
    """What we may not see is an error: it must not be taken for a missing blob."""
    server.faults.add(Reply(status=403))
    with pytest.raises(Unauthorized, match="403 Forbidden"):
        await place.blobs.stat(digest_of(b"x"))


async def test_the_client_says_when_it_is_not_open(clock):
    """Use outside of the block is a mistake of the program, not of the network."""
    place = RegistryClient(clock=clock).repository(parse_reference("quay.io/okd/a"))
    with pytest.raises(RuntimeError, match="async with"):
        await place.manifests.tags()
    assert repr(place) == "<RegistryRepository quay.io/okd/a>"
