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

import hashlib
import re
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from okd_payload import process
from okd_payload.build.images import NO_SOURCE_TIME, MadeImage, StreamImages
from okd_payload.build.key import key_tag
from okd_payload.build.log_text import clean_text
from okd_payload.build.plan import ExternalNode, ImportNode
from okd_payload.errors import (
    BuildError,
    ContentError,
    InputError,
    NotFound,
    OkdPayloadError,
    StorageError,
)
from okd_payload.oci import media_types
from okd_payload.oci.blob_sources import BytesSource, FileSource
from okd_payload.oci.digest import Digest, digest_of, hex_of
from okd_payload.oci.layers.normalise import NORMAL_FORM, normalise_layer
from okd_payload.oci.layers.writer import LayerBlob
from okd_payload.oci.layout.files import storage_errors
from okd_payload.oci.manifest import Descriptor, ImageManifest, Platform, encode_manifest
from okd_payload.oci.reference import Reference, parse_reference
from okd_payload.oci.repository import Repository
from okd_payload.oci.transfer import ImageCopy, copy_image
from okd_payload.progress import Advanced, Event, Progress

_CREATED = "1980-01-01T00:00:00Z"
"""``NO_SOURCE_TIME``, as an image configuration writes it."""

_TOLD_LINES = 5
_DISK_FULL = re.compile(
    r"no space left on device|disk quota exceeded|wrote only \d+ of \d+ bytes|short write",
    re.IGNORECASE,
)

OpenRepository = Callable[[Reference], Awaitable[Repository]]
"""Gives the repository that a pull spec names."""


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
        with tempfile.TemporaryDirectory(prefix="okd-payload-root-") as folder:
            archive = Path(folder) / "root.tar"
            with storage_errors("write", archive):
                await _write_archive(node, archive, log)
                is_empty = archive.stat().st_size == 0
            if is_empty:
                raise _no_root(node, "it printed nothing")
            try:
                layer = await normalise_layer(
                    FileSource(archive).open(),
                    Path(folder) / "layer",
                    timestamp=NO_SOURCE_TIME,
                    media_type=media_types.OCI_LAYER_GZIP,
                )
            except ContentError as error:
                raise _no_root(node, error.message) from error
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


def command_key(node: ImportNode, platform: Platform) -> str:
    """The key of what a command writes. Raises InputError when its script cannot be read."""
    program, *arguments = node.command
    script = b""
    if "/" in program:
        try:
            script = Path(program).read_bytes()
        except OSError as error:
            raise InputError(
                f"import {node.name}: cannot read {program}: {error.strerror}",
                hint="the first word of `command` is a program, relative to the stream file",
            ) from error
    digest = hashlib.sha256(script).hexdigest()
    words = [NORMAL_FORM, str(platform), Path(program).name, digest, *arguments]
    return hashlib.sha256(msgspec.json.encode(words)).hexdigest()


async def _write_archive(node: ImportNode, archive: Path, log: Path) -> None:
    with archive.open("wb") as output:
        outcome = await process.run(
            node.command,
            directory=Path(node.directory),
            environment={"SOURCE_DATE_EPOCH": str(NO_SOURCE_TIME)},
            output=output,
        )
    if outcome.code != 0:
        raise _failure_of(node, outcome, log)
    _keep(outcome.errors, log)


def _failure_of(node: ImportNode, outcome: process.Outcome, log: Path) -> OkdPayloadError:
    """Why the command failed; told from memory, because on a full disk the log is lost."""
    message = f"import {node.name}: {' '.join(node.command)} ended with code {outcome.code}"
    said = clean_text(outcome.errors).splitlines()
    told = [f"  {line}" for line in said if line.strip()][-_TOLD_LINES:]
    if _DISK_FULL.search("\n".join(told)):
        return StorageError(
            "\n".join([f"{message}: the disk is full", *told]),
            hint="free some space and run the same command again",
        )
    _keep(outcome.errors, log)
    hint = f"`okd-payload logs {node.name}` shows everything it said"
    return BuildError("\n".join([message, *told]), hint=hint)


def _keep(said: str, log: Path) -> None:
    with log.open("a", encoding="utf-8") as file:
        file.write(said)


def _no_root(node: ImportNode, problem: str) -> BuildError:
    return BuildError(
        f"import {node.name}: {' '.join(node.command)} wrote no root file system: {problem}",
        hint="a command prints a tar archive, and nothing else, to standard output",
    )


def _pinned_digest(reference: str) -> Digest:
    digest = parse_reference(reference).digest
    if digest is None:
        raise BuildError(f"{reference} is not pinned to a digest")
    return digest
