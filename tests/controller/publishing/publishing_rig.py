# SPDX-License-Identifier: Apache-2.0
"""Releases that are to be published, and a follower that has every way of publishing."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from rig import INPUT, RELEASES, STREAM, Rig
from sqlalchemy import Connection

from okd_payload.controller.configuration.model import Input, PublishAction
from okd_payload.controller.creation.making import make_payload
from okd_payload.controller.inputs.reading import read_input
from okd_payload.controller.model import Phase, Publication, PublicationState, Release
from okd_payload.controller.publishing.commands import CommandPublisher
from okd_payload.controller.publishing.copying import CopyPublisher
from okd_payload.controller.publishing.follower import PublishingFollower
from okd_payload.controller.publishing.image_streams import ImageStreamPublisher
from okd_payload.controller.publishing.publisher import PublishContext
from okd_payload.controller.publishing.signing import SignPublisher
from okd_payload.controller.publishing.tagging import TagPublisher
from okd_payload.controller.records import releases, streams
from okd_payload.controller.surroundings import Surroundings
from okd_payload.errors import NotFound
from okd_payload.oci.documents import DocumentAnswer
from okd_payload.release.load import load_release
from okd_payload.testing.memory_documents import MemoryDocuments
from okd_payload.testing.small_stream import push_small_stream

TAG = PublishAction(name="newest", kind="tag", targets=("4.20",))

DONE, WAITING, FAILED = PublicationState.DONE, PublicationState.WAITING, PublicationState.FAILED


class Documents(MemoryDocuments):
    """Web servers that things can be put to."""

    async def fetch_document(self, url: str, *, limit: int, token: str = "") -> bytes:
        """What lies there."""
        del token
        answer = await self.ask_document(url, limit=limit)
        if answer.status != 200:
            raise NotFound(f"there is no {url}")
        return answer.body

    async def put_document(self, url: str, content: bytes, *, token: str = "") -> bool:
        """Store ``content``."""
        del token
        self.documents[url] = DocumentAnswer(200, content)
        return True


def follower(surroundings: Surroundings, documents: Documents | None = None) -> PublishingFollower:
    """Publishing in these surroundings, in every way there is."""

    async def write(unit: Callable[[Connection], None]) -> None:
        await surroundings.database.write(unit)

    web = documents or Documents()
    publishers = {
        "tag": TagPublisher(surroundings),
        "copy": CopyPublisher(surroundings),
        "image-stream": ImageStreamPublisher(surroundings),
        "sign": SignPublisher(surroundings, web),
        "command": CommandPublisher(surroundings, seconds=20.0),
    }
    return PublishingFollower(surroundings, publishers, write=write, documents=web)


async def make(rig: Rig, name: str, change: str = "one") -> Release:
    """An accepted release with a real payload."""
    await push_small_stream(rig.repository(INPUT), change=change)
    configuration = rig.streams[STREAM]
    images = await read_input(
        rig.surroundings, msgspec.structs.replace(configuration, input=Input(repository=INPUT))
    )
    now = rig.clock.now()
    begun = Release(name=name, stream=STREAM, created=now, changed=now, input_hash=name)
    await rig.database.write(lambda unit: releases.create(unit, begun, images.images))
    made = await make_payload(rig.surroundings, configuration, begun, images.images)

    def finish(unit: Connection) -> Release:
        releases.write_inputs(unit, name, made.images)
        ready = msgspec.structs.replace(begun, digest=made.digest, pull_spec=made.pull_spec)
        moved = releases.move(unit, ready, Phase.READY, time=now)
        return releases.move(unit, moved, Phase.ACCEPTED, time=now)

    rig.clock.advance(1)
    return await rig.database.write(finish)


async def log_of(rig: Rig, publication: str = "newest") -> list[Publication]:
    """The log of a way of publishing."""
    return await rig.database.read(
        lambda unit: streams.read_publications(unit, publication=publication)
    )


async def tagged(rig: Rig, tag: str = "4.20") -> str:
    """The release that a tag leads to."""
    return (await load_release(rig.repository(RELEASES), tag)).name


async def context_of(rig: Rig, action: PublishAction) -> PublishContext:
    """What a publisher is told of the newest release."""
    (release, *_) = await rig.database.read(lambda unit: releases.list_of(unit, STREAM))
    return PublishContext(configuration=rig.streams[STREAM], action=action, release=release)
