# SPDX-License-Identifier: Apache-2.0
"""Bringing images into the content repository that are not built from a Dockerfile.

Two kinds: images of elsewhere, copied by digest, and root file systems that a command of this
machine writes (busybox, mmdebstrap), each made into an image with one layer. What a command
wrote is kept until the command changes: it is found by a key over its words, the content of its
script and the platform, because running it again only to compare would cost what it saves. The
key is a tag and no label: a command that changes and writes the same gives the same image, and
nothing above is built again.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import msgspec

from okd_payload.build.images import MadeImage, StreamImages
from okd_payload.build.key import key_tag
from okd_payload.build.places import OpenRepository
from okd_payload.build.plan import ExternalNode, ImportNode
from okd_payload.build.root_command import command_key, make_root
from okd_payload.errors import BuildError, NotFound
from okd_payload.oci import media_types
from okd_payload.oci.blob_sources import BytesSource, FileSource
from okd_payload.oci.digest import Digest, digest_of, hex_of
from okd_payload.oci.layers.writer import LayerBlob
from okd_payload.oci.manifest import Descriptor, ImageManifest, encode_manifest
from okd_payload.oci.reference import parse_reference
from okd_payload.oci.transfer import ImageCopy, copy_image
from okd_payload.progress import Advanced, Event, Progress

_CREATED = "1980-01-01T00:00:00Z"
"""``NO_SOURCE_TIME``, as an image configuration writes it."""


class Importer:
    """Brings images into one content repository."""

    def __init__(
        self, images: StreamImages, open_repository: OpenRepository, progress: Progress
    ) -> None:
        self._images = images
        self._open_repository = open_repository
        self._progress = progress

    async def find(self, node: ImportNode | ExternalNode) -> MadeImage | None:
        """The image of ``node`` when it is there already. Raises InputError and BuildError."""
        if isinstance(node, ImportNode) and node.command:
            return await self._images.read_tag(key_tag(self._key_of(node)))
        try:
            return await self._images.read(_pinned_digest(node.reference))
        except NotFound:
            return None

    async def bring(self, node: ImportNode | ExternalNode, *, log: Path) -> MadeImage:
        """The image of ``node``, stored now. Raises OkdPayloadError."""
        if isinstance(node, ImportNode) and node.command:
            return await self._run_command(node, log)
        reference = parse_reference(node.reference)
        digest = _pinned_digest(node.reference)
        copy = ImageCopy(
            source=await self._open_repository(reference),
            reference=digest,
            destination=self._images.repository,
            tag=key_tag(hex_of(digest)),
        )
        await copy_image(copy, progress=self._speak_of(node))
        return await self._images.read(digest)

    def _speak_of(self, node: ImportNode | ExternalNode) -> Progress:
        """A listener to copying that only says how far ``node`` has come."""

        def tell(event: Event) -> None:
            if isinstance(event, Advanced):
                self._progress(msgspec.structs.replace(event, subject=node.name))

        return tell

    def _key_of(self, node: ImportNode) -> str:
        return command_key(node, self._images.platform)

    async def _run_command(self, node: ImportNode, log: Path) -> MadeImage:
        with tempfile.TemporaryDirectory(prefix="okd-payload-root-") as name:
            folder = Path(name)
            layer = await make_root(node, folder, platform=self._images.platform, log=log)
            digest = await self._store(layer, key_tag(self._key_of(node)))
        return await self._images.read(digest)

    async def _store(self, layer: LayerBlob, tag: str) -> Digest:
        platform = self._images.platform
        config = msgspec.json.encode(
            {
                "created": _CREATED,
                "architecture": platform.architecture,
                "os": platform.os,
                "rootfs": {"type": "layers", "diff_ids": [layer.diff_id]},
                "history": [{"created": _CREATED, "comment": "root file system"}],
            }
        )
        pointer = Descriptor(
            media_type=media_types.OCI_CONFIG, digest=digest_of(config), size=len(config)
        )
        manifest = encode_manifest(
            ImageManifest(
                media_type=media_types.OCI_MANIFEST, config=pointer, layers=(layer.descriptor,)
            )
        )
        repository = self._images.repository
        await repository.blobs.write(layer.descriptor, FileSource(layer.path))
        await repository.blobs.write(pointer, BytesSource(config))
        await repository.manifests.put(manifest, tag=tag)
        return manifest.digest


def _pinned_digest(reference: str) -> Digest:
    digest = parse_reference(reference).digest
    if digest is None:
        raise BuildError(
            f"{reference} is not pinned to a digest",
            hint="plan anew: every image of elsewhere gets its digest then",
        )
    return digest
