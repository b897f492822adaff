# SPDX-License-Identifier: Apache-2.0
"""The images of a stream in its content repository: found by key, published by tag.

Two kinds of tags share the repository: those of the stream (``etcd``) and one for each build
key (``build-<key>``). The second kind is what makes "build only what changed" hold across
machines and after a tag has moved on, and it protects images from garbage collection.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import msgspec

from okd_payload.build.key import KEY_LABEL, BuildInputs, key_tag, read_inputs
from okd_payload.errors import BuildError, NotFound
from okd_payload.oci.digest import Digest
from okd_payload.oci.image import Image, read_image
from okd_payload.oci.manifest import Platform
from okd_payload.oci.repository import Repository

NO_SOURCE_TIME = 315532800
"""1980-01-01: the time of images that no commit dates, the first that every archive can hold."""


class MadeImage(msgspec.Struct, frozen=True, kw_only=True):
    """A finished image that others may be built on."""

    digest: Digest
    media_type: str
    size: int
    """Of the manifest, in bytes."""
    timestamp: int
    """Seconds since the epoch, as the image says it was created."""


class StreamImages:
    """The images of one content repository, for one platform."""

    def __init__(self, repository: Repository, platform: Platform) -> None:
        self.repository = repository
        self.platform = platform

    async def find(self, key: str) -> MadeImage | None:
        """The image built from exactly this key, None when there is none."""
        image = await self._read(key_tag(key))
        if image is None or image.config.labels.get(KEY_LABEL) != key:
            return None
        return _made(image)

    async def read_tag(self, tag: str) -> MadeImage | None:
        """The image that ``tag`` points at, None when there is none."""
        image = await self._read(tag)
        return _made(image) if image is not None else None

    async def read_inputs(self, tag: str) -> BuildInputs | None:
        """What the image now tagged ``tag`` was built from, None when that is unknown."""
        image = await self._read(tag)
        return read_inputs(image.config.labels) if image is not None else None

    async def read(self, digest: Digest) -> MadeImage:
        """The image with this digest. Raises NotFound, and BuildError when it cannot run here.

        Of an index it is the member for this platform; an image alone says for which machine it
        is, if it says anything.
        """
        image = await read_image(self.repository, digest, platform=self.platform)
        architecture = image.config.architecture
        if architecture and architecture != self.platform.architecture:
            raise BuildError(
                f"{self.repository.name}@{digest} is an image for {architecture}, and "
                f"{self.platform} is built",
                hint="name an image that is there for both, or build for its machine: --platform",
            )
        return _made(image)

    async def publish(self, digest: Digest, tag: str) -> None:
        """Point ``tag`` at an image that is there already; nothing is written if it does."""
        manifests = self.repository.manifests
        try:
            if (await manifests.get(tag)).digest == digest:
                return
        except NotFound:
            pass
        await manifests.put(await manifests.get(digest), tag=tag)

    async def _read(self, reference: str) -> Image | None:
        try:
            return await read_image(self.repository, reference, platform=self.platform)
        except NotFound:
            return None


def _made(image: Image) -> MadeImage:
    manifest = image.referenced.descriptor
    return MadeImage(
        digest=manifest.digest,
        media_type=manifest.media_type,
        size=manifest.size,
        timestamp=read_moment(image.config.created),
    )


def newest(images: Iterable[MadeImage]) -> int:
    """When the newest of ``images`` was created."""
    return max((image.timestamp for image in images), default=NO_SOURCE_TIME)


def read_moment(text: str) -> int:
    """An RFC 3339 moment in whole seconds since the epoch.

    1980-01-01 when it is none, or earlier: some tools write the year 1 for "no time".
    """
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return NO_SOURCE_TIME
    if moment.tzinfo is None:
        return NO_SOURCE_TIME
    return max(NO_SOURCE_TIME, int(moment.timestamp()))
