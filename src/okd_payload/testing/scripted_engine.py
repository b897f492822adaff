# SPDX-License-Identifier: Apache-2.0
"""An engine that needs no builder: the twin of everything that turns steps into images.

Its images are real: the layers of the base, and one with the files of the build context and a
file that says what the step was; the labels of the base, of the Dockerfile and of the step.
Equal steps give equal images and other steps other ones, as with every engine. Tests let builds
fail with ``fail``, stop them half-way with ``hold``, and read from ``built`` and ``running`` what
happened.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import defaultdict, deque
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from okd_payload.build.engine import BuildStep, TellRetry, ignore_retry
from okd_payload.catalog.dockerfile import Evaluation, OperandKind, evaluate, parse_dockerfile
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
from okd_payload.source.model import SourceTree
from okd_payload.testing.images import config_of, push_blob


class ScriptedEngine:
    """Makes images of the build context, and of a file that says what the step was."""

    def __init__(
        self,
        repository: Repository,
        sources: SourceTree | None = None,
        *,
        format_version: str = "scripted-1",
    ) -> None:
        """Without ``sources`` every build context is empty."""
        self.built: list[BuildStep] = []
        """Every step whose image was stored, in the order of the ends."""
        self.attempts: dict[str, int] = defaultdict(int)
        """How often a build was begun, by component."""
        self.running: set[str] = set()
        """Components being built now."""
        self._repository = repository
        self._sources = sources
        self._format_version = format_version
        self._failures: dict[str, deque[OkdPayloadError]] = defaultdict(deque)
        self._held: dict[str, asyncio.Event] = {}
        self._begun: dict[str, asyncio.Event] = defaultdict(asyncio.Event)

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

    async def begun(self, component: str) -> None:
        """Return when a build of ``component`` has begun."""
        await self._begun[component].wait()

    async def build(
        self, step: BuildStep, *, log: Path, retried: TellRetry = ignore_retry
    ) -> Digest:
        """Store the image of ``step`` and return its digest, unless a test wants otherwise."""
        del retried
        self.attempts[step.component] += 1
        self.running.add(step.component)
        self._begun[step.component].set()
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
        evaluation = evaluate(
            parse_dockerfile(step.dockerfile, path="Dockerfile"),
            arguments=step.build_arguments,
            platform=step.platform,
        )
        below, config = await self._read_base(step, evaluation)
        layer = await push_blob(self._repository, await self._archive(step), OCI_LAYER)
        own = {label.name: label.value for label in step.labels}
        content = change_config(
            config,
            created=datetime.fromtimestamp(step.timestamp, UTC).isoformat(),
            labels=read_config(config).labels | evaluation.labels | own,
            added=[AddedLayer(diff_id=layer.digest)],
        )
        manifest = encode_manifest(
            ImageManifest(
                media_type=OCI_MANIFEST,
                config=await push_blob(self._repository, content, OCI_CONFIG),
                layers=(*below, layer),
            )
        )
        await self._repository.manifests.put(manifest)
        return manifest.digest

    async def _read_base(
        self, step: BuildStep, evaluation: Evaluation
    ) -> tuple[tuple[Descriptor, ...], bytes]:
        """Layers and configuration of the image that the last stage stands on."""
        bases = {it.stage: it for it in evaluation.operands if it.kind is OperandKind.FROM}
        stage = len(parse_dockerfile(step.dockerfile, path="Dockerfile").stages) - 1
        while stage in bases and (target := bases[stage].target) is not None:
            stage = target
        if stage not in bases:
            return (), config_of([], architecture=step.platform.architecture)
        digest = step.images[bases[stage].name]
        image = await read_image(self._repository, digest, platform=step.platform)
        return image.layers, image.config_bytes

    async def _archive(self, step: BuildStep) -> bytes:
        """A layer with the files of the build context, and one that says what the step was."""
        facts = msgspec.structs.replace(step, source=None)  # where it lies decides nothing
        own = {f"built/{step.component}": msgspec.json.encode(facts, order="sorted")}
        if self._sources is None or step.source is None or step.commit is None:
            return _archive_of(own)
        with tempfile.TemporaryDirectory(prefix="okd-payload-script-") as folder:
            await self._sources.check_out(step.source, step.commit, Path(folder))
            return _archive_of(_read_folder(Path(folder) / step.context_directory) | own)


def _archive_of(files: Mapping[str, bytes]) -> bytes:
    parts = [
        encode_header(Entry(name=name, size=len(content)))
        + content
        + bytes(padding_of(len(content)))
        for name, content in files.items()
    ]
    return b"".join(parts) + bytes(2 * BLOCK_BYTES)


def _read_folder(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _append(log: Path, text: str) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as file:
        file.write(text)
