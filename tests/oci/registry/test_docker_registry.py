# SPDX-License-Identifier: Apache-2.0
"""The real docker-registry, also behind a line that breaks."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import random
import uuid

import pytest

from okd_payload.errors import NotFound, Unauthorized
from okd_payload.oci.blob_sources import BytesSource
from okd_payload.oci.reference import parse_reference
from okd_payload.oci.registry import RegistryClient, RegistrySettings
from okd_payload.testing.clock import ManualClock
from okd_payload.testing.docker_registry import serve_docker_registry
from okd_payload.testing.images import blob_of, push_image

pytestmark = pytest.mark.integration

MEBIBYTE = 1024 * 1024
CONTENT = random.Random(3).randbytes(8 * MEBIBYTE + 5)
BLOB = blob_of(CONTENT, "x")
PLAIN = RegistrySettings(chunk_bytes=2 * MEBIBYTE, certificate_folders=())
HTPASSWD = "me:$2b$04$WvATIzcwNd5lKATqacA/c..EiQjmOINTCxPNmYLctR2tqFVdSR/bq"  # hunter2


class BadLine:
    """Carries connections to a registry, and breaks some of them after so many bytes."""

    def __init__(self, host):
        self._address, _, port = host.partition(":")
        self._port = int(port)
        self.breaks = []
        """After how many bytes, in either direction, a connection breaks; one after the other."""
        self.broken = 0
        self.host = ""
        self._carrying = set()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.host = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_):
        self._server.close()
        if self._carrying:
            await asyncio.wait(self._carrying)

    async def _carry(self, reader, writer):
        task = asyncio.current_task()
        self._carrying.add(task)
        task.add_done_callback(self._carrying.discard)
        there_reader, there_writer = await asyncio.open_connection(self._address, self._port)
        with contextlib.suppress(ConnectionError):
            await asyncio.gather(self._pump(reader, there_writer), self._pump(there_reader, writer))
        for end in (writer, there_writer):
            end.transport.abort()

    async def _pump(self, reader, writer):
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
            if self.breaks:
                self.breaks[0] -= len(chunk)
                if self.breaks[0] < 0:
                    del self.breaks[0]
                    self.broken += 1
                    raise ConnectionResetError
        raise ConnectionResetError


@pytest.fixture
def name():
    """A repository that no other test uses."""
    return f"okd/{uuid.uuid4().hex}"


async def _read(repository, descriptor):
    return b"".join([chunk async for chunk in repository.blobs.read(descriptor)])


async def test_pieces_arrive(docker_registry, name):
    """A blob that is sent in pieces is stored whole."""
    async with RegistryClient(PLAIN) as client:
        place = client.repository(parse_reference(f"{docker_registry}/{name}"))
        place.blobs.host.refuses_whole_uploads = True
        await place.blobs.write(BLOB, BytesSource(CONTENT))
        assert await place.blobs.stat(BLOB.digest) == len(CONTENT)
        assert await _read(place, BLOB) == CONTENT


@pytest.mark.parametrize("break_after", [10, 300_000, 5 * MEBIBYTE])
async def test_broken_lines_lose_nothing(docker_registry, name, break_after):
    """Uploads and downloads over a line that breaks again and again arrive whole."""
    async with (
        BadLine(docker_registry) as line,
        RegistryClient(PLAIN, clock=ManualClock()) as client,
    ):
        place = client.repository(parse_reference(f"{line.host}/{name}"))
        assert await place.manifests.tags() == []
        for work in (place.blobs.write(BLOB, BytesSource(CONTENT)), _read(place, BLOB)):
            line.breaks += [break_after] * 4
            assert await work in (None, CONTENT)
            line.breaks.clear()
        assert line.broken >= 2
        assert await _read(place, BLOB) == CONTENT


async def test_a_login_is_demanded_and_given(tmp_path, name):
    """Without the password nothing is read, with it everything works."""
    passwords = tmp_path / "htpasswd"
    passwords.write_text(HTPASSWD + "\n")
    with serve_docker_registry(tmp_path / "registry", passwords=passwords) as host:
        reference = parse_reference(f"{host}/{name}")
        async with RegistryClient(PLAIN) as client:
            with pytest.raises(Unauthorized, match="authentication required"):
                await client.repository(reference).manifests.tags()
        pair = base64.b64encode(b"me:hunter2").decode()
        auth_file = tmp_path / "auth.json"
        auth_file.write_text(json.dumps({"auths": {f"{host}/okd": {"auth": pair}}}))
        async with RegistryClient(RegistrySettings(auth_file=auth_file)) as client:
            image = await push_image(client.repository(reference), tag="v1")
            assert await client.repository(reference).manifests.get("v1") == image


async def test_tags_come_in_pages(docker_registry, name):
    """More tags than one page holds are all listed."""
    async with RegistryClient(PLAIN) as client:
        place = client.repository(parse_reference(f"{docker_registry}/{name}"))
        image = await push_image(place)
        names = [f"t{number:02}" for number in range(25)]
        await asyncio.gather(*(place.manifests.put(image, tag=tag) for tag in names))
        assert await place.manifests.tags() == names
        assert await place.manifests.stat("t07") == image.descriptor
        with pytest.raises(NotFound, match="manifest unknown"):
            await place.manifests.get("absent")
