# SPDX-License-Identifier: Apache-2.0
"""An engine that needs no builder: the twin of everything that turns steps into images.

Its images are real: a base of one layer or none, the layer of the step on top, and the step's
labels. Equal steps give equal images and other steps other ones, as with every engine. Tests let
builds fail with ``fail``, stop them half-way with ``hold``, and read from ``built`` and
``running`` what happened.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from pathlib import Path

import msgspec

from okd_payload.build.engine import BuildStep
from okd_payload.catalog.dockerfile import parse_dockerfile
from okd_payload.errors import OkdPayloadError
from okd_payload.oci.config import AddedLayer, change_config, read_config
from okd_payload.oci.digest import Digest
from okd_payload.oci.image import read_image
from okd_payload.oci.layers.entry import Entry
from okd_payload.oci.layers.tar_encoder import encode_header
from okd_payload.oci.layers.tar_header import BLOCK_BYTES, padding_of
from okd_payload.oci.manifest import Descriptor, ImageManifest, encode_manifest
from okd_payload.oci.media_types import OCI_CONFIG, OCI_LAYER, OCI_MANIFEST
from okd_payload.oci.repository import Repository
from okd_payload.testing.images import config_of, push_blob


class ScriptedEngine:
    """Makes images of one file, which says what the step was."""

    def __init__(self, repository: Repository, *, format_version: str = "scripted-1") -> None:
        self.built: list[BuildStep] = []
        """Every step whose image was stored, in the order of the ends."""
        self.attempts: dict[str, int] = defaultdict(int)
        """How often a build was begun, by component."""
        self.running: set[str] = set()
        """Components being built now."""
        self._repository = repository
        self._format_version = format_version
        self._failures: dict[str, deque[OkdPayloadError]] = defaultdict(deque)
        self._held: dict[str, asyncio.Event] = {}

    @property
    def format_version(self) -> str:
        """As given."""
        return self._format_version

    def fail(self, component: str, *errors: OkdPayloadError) -> None:
        """Let the next builds of ``component`` raise ``errors``, one each."""
        self._failures[component].extend(errors)

    def hold(self, component: str) -> asyncio.Event:
        """Let builds of ``component`` wait for the event that is returned."""
        return self._held.setdefault(component, asyncio.Event())

    async def build(self, step: BuildStep, *, log: Path) -> Digest:
        """Store the image of ``step`` and return its digest, unless a test wants otherwise."""
        self.attempts[step.component] += 1
        self.running.add(step.component)
        try:
            _append(log, f"building {step.component}\n")
            if step.component in self._held:
                await self._held[step.component].wait()
            if self._failures[step.component]:
                error = self._failures[step.component].popleft()
                _append(log, f"{error}\n")
                raise error
            digest = await self._store(step)
        finally:
            self.running.discard(step.component)
        self.built.append(step)
        return digest

    async def _store(self, step: BuildStep) -> Digest:
        below, config = await self._read_base(step)
        archive = _archive_of(step)
        layer = await push_blob(self._repository, archive, OCI_LAYER)
        labels = read_config(config).labels | {label.name: label.value for label in step.labels}
        content = change_config(config, labels=labels, added=[AddedLayer(diff_id=layer.digest)])
        manifest = encode_manifest(
            ImageManifest(
                media_type=OCI_MANIFEST,
                config=await push_blob(self._repository, content, OCI_CONFIG),
                layers=(*below, layer),
            )
        )
        await self._repository.manifests.put(manifest)
        return manifest.digest

    async def _read_base(self, step: BuildStep) -> tuple[tuple[Descriptor, ...], bytes]:
        """Layers and configuration of the image that the last FROM names."""
        operand = parse_dockerfile(step.dockerfile, path="Dockerfile").stages[-1].image
        if operand not in step.images:
            return (), config_of([], architecture=step.platform.architecture)
        image = await read_image(self._repository, step.images[operand], platform=step.platform)
        return image.layers, image.config_bytes


def _archive_of(step: BuildStep) -> bytes:
    """A layer with one file that says what the step was."""
    content = msgspec.json.encode(step, order="sorted")
    header = encode_header(Entry(name=step.component, size=len(content)))
    return header + content + bytes(padding_of(len(content)) + 2 * BLOCK_BYTES)


def _append(log: Path, text: str) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as file:
        file.write(text)
