# SPDX-License-Identifier: Apache-2.0
"""Everything going wrong at once: what ends well is right, what ends badly says so."""

from __future__ import annotations

import asyncio
import json
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from okd_payload.errors import ContentError, OkdPayloadError, RegistryError
from okd_payload.oci.blob_sources import BytesSource
from okd_payload.oci.digest import digest_of
from okd_payload.oci.reference import parse_reference
from okd_payload.oci.registry import RegistryClient, RegistrySettings
from okd_payload.testing.clock import ManualClock
from okd_payload.testing.images import blob_of, push_image
from okd_payload.testing.registry_api import Ranges
from okd_payload.testing.registry_faults import (
    CorruptAnswer,
    CutAnswer,
    CutUpload,
    LoseAnswer,
    Reply,
    Reset,
    Silence,
    StallAnswer,
    StallUpload,
)
from okd_payload.testing.registry_logins import Accounts, Login
from okd_payload.testing.registry_server import RegistryServer, ServerOptions

CONTENT = random.Random(2).randbytes(400_000)
BLOB = blob_of(CONTENT, "x")

PLACES = {
    "method": st.sampled_from(["", "GET", "HEAD", "POST", "PUT", "PATCH"]),
    "path": st.sampled_from(["", "/blobs/", "/uploads/", "/manifests/", "/token"]),
    "times": st.integers(1, 3),
    "every": st.integers(1, 3),
}
AMOUNTS = st.integers(0, len(CONTENT))
FAULTS = st.one_of(
    st.builds(
        Reply, **PLACES, status=st.sampled_from([400, 401, 404, 405, 413, 416, 429, 500, 503])
    ),
    st.builds(Reset, **PLACES),
    st.builds(LoseAnswer, **PLACES),
    st.builds(CutAnswer, **PLACES, after=AMOUNTS),
    st.builds(CutUpload, **PLACES, after=AMOUNTS),
    st.builds(CorruptAnswer, **PLACES, at=st.just(0)),
)
STALLS = st.one_of(
    st.builds(Silence, path=PLACES["path"]),
    st.builds(StallAnswer, path=PLACES["path"], after=AMOUNTS),
    st.builds(StallUpload, after=AMOUNTS),
)
KINDS = st.builds(
    ServerOptions,
    login=st.sampled_from(Login),
    accounts=st.just(Accounts(passwords={"me": "x"})),
    whole_uploads=st.booleans(),
    piecewise_uploads=st.booleans(),
    mounts=st.booleans(),
    referrers=st.booleans(),
    ranges=st.sampled_from(Ranges),
    redirect_blobs=st.booleans(),
)


async def _use(server, auth_file):
    """Write and read blobs and images; what succeeds is compared with what was meant."""
    chosen = RegistrySettings(
        auth_file=auth_file,
        stall_seconds=0.05,
        answer_seconds=0.05,
        chunk_bytes=100_000,
        plain_http_hosts=frozenset({"127.0.0.1"}),
    )
    errors = []
    clock = ManualClock()

    async def attempt(work):
        try:
            return await work
        except OkdPayloadError as error:
            errors.append(error)
            return None

    async with RegistryClient(chosen, clock=clock) as client:
        one, other = (client.repository(parse_reference(f"{server.host}/{n}")) for n in ("a", "b"))

        async def write_and_read():
            await one.blobs.write(BLOB, BytesSource(CONTENT))
            assert server.repository("a").blobs[BLOB.digest] == CONTENT
            assert b"".join([chunk async for chunk in one.blobs.read(BLOB)]) == CONTENT
            if await other.blobs.mount(BLOB, one):
                assert server.repository("b").blobs[BLOB.digest] == CONTENT

        async def push_and_pull():
            image = await push_image(one, tag="v1", layers=[b"layer"])
            assert await one.manifests.get("v1") == image
            assert await one.manifests.get(image.digest) == image

        await asyncio.gather(attempt(write_and_read()), attempt(push_and_pull()))
    return errors, clock.monotonic()


@settings(max_examples=25, deadline=None)
@given(kind=KINDS, faults=st.lists(FAULTS, max_size=6), stall=st.none() | STALLS)
def test_nothing_wrong_is_ever_kept(tmp_path_factory, kind, faults, stall):
    """In any weather, on any kind of registry: right in the end, or a clear error in time."""
    auth_file = tmp_path_factory.getbasetemp() / "storm.json"

    async def run():
        async with RegistryServer(kind) as server:
            login = {"username": "me", "password": "x"}
            auth_file.write_text(json.dumps({"auths": {server.host: login}}))
            server.faults.add(*faults, *([stall] if stall else []))
            errors, seconds = await _use(server, auth_file)
            for path in ("a", "b"):
                for digest, content in server.repository(path).blobs.items():
                    assert digest_of(content) == digest
            for error in errors:
                assert isinstance(error, RegistryError | ContentError)
                assert server.host in str(error) or "sha256:" in str(error)
            assert seconds < 1800

    asyncio.run(run())
