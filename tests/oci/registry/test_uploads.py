# SPDX-License-Identifier: Apache-2.0
"""Uploads: whole, in pieces, resumed, refused."""

from __future__ import annotations

import random

import pytest

from okd_payload.errors import (
    DigestMismatch,
    RegistryRefused,
    RegistryUnavailable,
    StorageError,
    Unauthorized,
)
from okd_payload.oci.reference import parse_reference
from okd_payload.oci.registry import RegistryClient, RegistrySettings
from okd_payload.testing.images import blob_of
from okd_payload.testing.registry_faults import CutUpload, LoseAnswer, Reply, Reset, StallUpload
from okd_payload.testing.registry_server import RegistryServer, ServerOptions

MEBIBYTE = 1024 * 1024
CONTENT = random.Random(1).randbytes(3 * MEBIBYTE + 17)
BLOB = blob_of(CONTENT, "x")
SETTINGS = RegistrySettings(
    chunk_bytes=MEBIBYTE,
    stall_seconds=0.3,
    answer_seconds=0.3,
    plain_http_hosts=frozenset({"127.0.0.1"}),
)


class Source:
    """Content in small chunks; remembers from where it was opened."""

    def __init__(self, content=CONTENT, *, fails_at=None):
        self.content = content
        self.fails_at = fails_at
        self.opened = []

    async def open(self, offset=0):
        self.opened.append(offset)
        for start in range(offset, len(self.content), 50_000):
            if self.fails_at is not None and start >= self.fails_at:
                raise StorageError("the disk is gone")
            yield self.content[start : start + 50_000]


@pytest.fixture
async def client(clock):
    """A client that uploads in pieces of a mebibyte where it must."""
    async with RegistryClient(SETTINGS, clock=clock) as client:
        yield client


def _place(client, server, path="okd/a"):
    return client.repository(parse_reference(f"{server.host}/{path}"))


def _stored(server, path="okd/a"):
    return server.repository(path).blobs.get(BLOB.digest)


def _uploads(server):
    return [item.method for item in server.requests if "/uploads/" in item.path]


async def test_a_blob_goes_in_one_request(server, client):
    """POST and one PUT with the length: nothing is cheaper."""
    source = Source()
    await _place(client, server).blobs.write(BLOB, source)
    assert _stored(server) == CONTENT
    assert _uploads(server) == ["POST", "PUT"]
    put = server.requests[-1]
    assert put.headers["content-length"] == str(len(CONTENT))
    assert put.headers["content-type"] == "application/octet-stream"
    assert source.opened == [0]


@pytest.mark.parametrize("status", [400, 405, 411, 413])
async def test_a_registry_that_refuses_the_whole_gets_pieces(server, client, status):
    """However the whole is refused, the pieces arrive; the next blob begins with pieces."""
    server.faults.add(Reply(method="PUT", path="/uploads/", status=status))
    await _place(client, server).blobs.write(BLOB, Source())
    assert _stored(server) == CONTENT
    assert _uploads(server) == ["POST", "PUT", "DELETE", "POST", *["PATCH"] * 4, "PUT"]
    server.requests.clear()
    await _place(client, server, "okd/b").blobs.write(BLOB, Source())
    assert _uploads(server) == ["POST", *["PATCH"] * 4, "PUT"]


async def test_a_registry_that_takes_no_byte_is_given_up(client, clock):
    """A registry that accepts pieces and keeps nothing of them is not served for ever."""
    async with RegistryServer(ServerOptions(whole_uploads=False)) as server:
        nothing = {"Range": "0-0"}
        server.faults.add(Reply(method="PATCH", status=202, headers=nothing, times=-1))
        with pytest.raises(RegistryUnavailable, match="does not take what it is sent"):
            await _place(client, server).blobs.write(BLOB, Source())
        assert clock.monotonic() <= 600


async def test_pieces_say_where_they_belong(client):
    """Each piece carries its range and length; the last request carries nothing."""
    async with RegistryServer(ServerOptions(whole_uploads=False)) as server:
        await _place(client, server).blobs.write(BLOB, Source())
        assert _stored(server) == CONTENT
        pieces = [item.headers for item in server.requests if item.method == "PATCH"]
        assert [item["content-range"] for item in pieces] == [
            "0-1048575",
            "1048576-2097151",
            "2097152-3145727",
            "3145728-3145744",
        ]
        assert [item["content-length"] for item in pieces] == ["1048576"] * 3 + ["17"]
        assert server.requests[-1].headers["content-length"] == "0"


async def test_pieces_are_as_large_as_the_registry_wants(client):
    """The least size that a registry states is kept to."""
    kind = ServerOptions(whole_uploads=False, least_piece=2 * MEBIBYTE)
    async with RegistryServer(kind) as server:
        await _place(client, server).blobs.write(BLOB, Source())
        assert _stored(server) == CONTENT
        assert _uploads(server).count("PATCH") == 2


async def test_pieces_shrink_where_requests_are_limited(client):
    """A proxy that takes small requests only gets small pieces."""
    kind = ServerOptions(whole_uploads=False, most_piece=300_000)
    async with RegistryServer(kind) as server:
        await _place(client, server).blobs.write(BLOB, Source())
        assert _stored(server) == CONTENT


async def test_a_registry_that_takes_neither_form_is_named(client):
    """The error says how each form was refused."""
    kind = ServerOptions(whole_uploads=False, piecewise_uploads=False)
    async with RegistryServer(kind) as server:
        with pytest.raises(
            RegistryRefused, match=r"in one request: 405 .*pieces here and in pieces: 405"
        ):
            await _place(client, server).blobs.write(BLOB, Source())
        assert _stored(server) is None


async def test_a_cut_upload_goes_on_where_the_registry_says(server, client):
    """After a break the registry is asked how much it has, and gets the rest in pieces."""
    server.faults.add(CutUpload(method="PUT", after=2_000_000))
    source = Source()
    await _place(client, server).blobs.write(BLOB, source)
    assert _stored(server) == CONTENT
    assert _uploads(server) == ["POST", "PUT", "GET", "PATCH", "PATCH", "PUT"]
    assert source.opened[0] == 0
    assert 1_900_000 < source.opened[1] <= 2_000_000


async def test_a_piece_that_is_cut_is_taken_up(client):
    """Breaks within pieces lose at most what the registry did not keep."""
    async with RegistryServer(ServerOptions(whole_uploads=False)) as server:
        server.faults.add(CutUpload(method="PATCH", after=500_000, times=3))
        await _place(client, server).blobs.write(BLOB, Source())
        assert _stored(server) == CONTENT


async def test_an_upload_that_nobody_takes_is_a_stall(server, client):
    """When the other side stops reading, the upload is broken off and taken up again."""
    server.faults.add(StallUpload(method="PUT", after=100_000))
    await _place(client, server).blobs.write(BLOB, Source())
    assert _stored(server) == CONTENT


async def test_a_registry_without_pieces_gets_the_whole_again(client):
    """Where nothing can be taken up, a broken upload begins anew."""
    async with RegistryServer(ServerOptions(piecewise_uploads=False)) as server:
        server.faults.add(CutUpload(method="PUT", after=2_000_000))
        await _place(client, server).blobs.write(BLOB, Source())
        assert _stored(server) == CONTENT


async def test_a_lost_answer_is_no_second_upload(server, client):
    """An upload whose last answer was lost is found to be there."""
    server.faults.add(LoseAnswer(method="PUT"))
    await _place(client, server).blobs.write(BLOB, Source())
    assert _stored(server) == CONTENT
    assert _uploads(server).count("PUT") == 1


async def test_a_forgotten_upload_begins_anew(server, client):
    """A registry that lost the session gets the blob all the same."""
    forgotten = b'{"errors": [{"code": "BLOB_UPLOAD_UNKNOWN"}]}'
    server.faults.add(
        CutUpload(method="PUT", after=2_000_000),
        Reply(method="PATCH", status=404, body=forgotten),
        Reply(method="GET", path="/uploads/", status=404, body=forgotten),
    )
    await _place(client, server).blobs.write(BLOB, Source())
    assert _stored(server) == CONTENT


async def test_lies_about_the_range_do_not_harm(server, client):
    """A registry that claims to have more than was sent gets it all anew."""
    server.faults.add(
        CutUpload(method="PUT", after=2_000_000),
        Reply(method="GET", path="/uploads/", status=204, headers={"Range": "0-3100000"}),
    )
    await _place(client, server).blobs.write(BLOB, Source())
    assert _stored(server) == CONTENT


@pytest.mark.parametrize("absolute", [True, False])
async def test_locations_may_be_relative_or_absolute(client, absolute):
    """Both forms of Location are followed with their query as it is."""
    kind = ServerOptions(whole_uploads=False, absolute_locations=absolute)
    async with RegistryServer(kind) as server:
        await _place(client, server).blobs.write(BLOB, Source())
        assert _stored(server) == CONTENT
        sent = [item.path for item in server.requests if item.method in ("PATCH", "PUT")]
        assert all("_state=a%2Fb" in path for path in sent)


@pytest.mark.parametrize(
    "content",
    [CONTENT[:-1] + b"?", CONTENT[:-1], CONTENT + b"?", CONTENT + bytes(MEBIBYTE), b""],
    ids=["changed", "short", "long", "much longer", "empty"],
)
@pytest.mark.parametrize("whole", [True, False])
async def test_wrong_content_never_arrives_complete(client, content, whole):
    """The source is checked before its last bytes go out; the upload is cancelled."""
    async with RegistryServer(ServerOptions(whole_uploads=whole)) as server:
        with pytest.raises(DigestMismatch):
            await _place(client, server).blobs.write(BLOB, Source(content))
        assert server.repository("okd/a").blobs == {}
        assert server.repository("okd/a").uploads == {}


async def test_a_failing_source_is_not_the_network(server, client, clock):
    """What the source raises reaches the caller at once, and is not tried again."""
    with pytest.raises(StorageError, match="the disk is gone"):
        await _place(client, server).blobs.write(BLOB, Source(fails_at=1_000_000))
    assert clock.waits == []
    assert _stored(server) is None


async def test_a_source_that_shrinks_is_found_out(server, client):
    """A source that ends sooner when it is opened again is an error, not an endless wait."""
    source = Source()
    server.faults.add(CutUpload(method="PUT", after=2_000_000))

    async def shrinking(offset=0):
        end = len(CONTENT) if offset == 0 else offset + 10
        source.opened.append(offset)
        yield CONTENT[offset:end]

    source.open = shrinking
    with pytest.raises(DigestMismatch, match="ends at byte"):
        await _place(client, server).blobs.write(BLOB, source)


async def test_overload_is_waited_out(server, client, clock):
    """Answers of 429 to any step cost time and nothing else."""
    busy = {"status": 429, "headers": {"Retry-After": "5"}}
    server.faults.add(
        Reply(method="POST", times=2, **busy),
        Reply(method="PUT", **busy),
        Reply(method="PATCH", **busy),
        Reply(method="GET", path="/uploads/", **busy),
    )
    await _place(client, server).blobs.write(BLOB, Source())
    assert _stored(server) == CONTENT
    assert clock.monotonic() >= 25


async def test_those_who_may_not_push_are_told(server, client):
    """A refusal to begin is final."""
    denied = b'{"errors": [{"code": "DENIED", "message": "requested access is denied"}]}'
    server.faults.add(Reply(method="POST", status=403, body=denied))
    with pytest.raises(Unauthorized, match=r"writing the blob .* requested access is denied"):
        await _place(client, server).blobs.write(BLOB, Source())


async def test_a_dead_registry_is_given_up_in_time(server, client, clock):
    """An upload that never gets on ends at the deadline."""
    await _place(client, server).manifests.tags()
    server.faults.add(Reset(path="/uploads/", times=-1))
    with pytest.raises(RegistryUnavailable, match=r"writing the blob .* given up after"):
        await _place(client, server).blobs.write(BLOB, Source())
    assert clock.monotonic() <= 600


async def test_a_session_without_an_address_is_refused(server, client):
    """An answer without Location leaves nowhere to go."""
    server.faults.add(Reply(method="POST", status=202))
    with pytest.raises(RegistryRefused, match="cannot be followed"):
        await _place(client, server).blobs.write(BLOB, Source())
