# SPDX-License-Identifier: Apache-2.0
"""Making one node of a plan: find it, or bring it, or build it.

``look_up`` decides and ``make`` does what it decided, so a preview that only looks up says what
a run will do. The order of writes makes every moment safe to be killed in: the image first,
then the tag of its key, then the tag of the stream. Whoever comes next finds by key what was
finished.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import msgspec

from okd_payload.build.engine import BuildStep, Engine, Retry, TellRetry, ignore_retry
from okd_payload.build.images import MadeImage, StreamImages
from okd_payload.build.key import explain_change, key_tag
from okd_payload.build.plan import AliasNode, ComponentNode, ExternalNode, ImportNode, Node
from okd_payload.build.records import Action, ComponentRecord, describe
from okd_payload.build.steps import PreparedStep, prepare
from okd_payload.clock import Clock
from okd_payload.errors import TransientBuildError
from okd_payload.oci.digest import Digest
from okd_payload.progress import Noticed, Progress, Started

PAUSES = (2.0, 4.0)
"""Seconds between the attempts at a build that fails for reasons of its surroundings."""
_TRANSIENT = "the build failed for reasons of its surroundings"
_NOTHING_CHANGED = "nothing changed"


class Importer(Protocol):
    """Brings images of elsewhere into the content repository."""

    async def find(self, node: ImportNode | ExternalNode) -> MadeImage | None:
        """The image of ``node`` when it is there already."""
        ...

    async def bring(self, node: ImportNode | ExternalNode, *, log: Path) -> MadeImage:
        """The image of ``node``, stored in the content repository."""
        ...


class StepMaker(Protocol):
    """Completes the build step of a component once its parents are images."""

    async def make_step(self, node: ComponentNode, parents: Mapping[str, MadeImage]) -> BuildStep:
        """The step. Raises BuildError when its Dockerfile cannot be found or read."""
        ...


class Finding(msgspec.Struct, frozen=True):
    """The image that a node has already, or None, and why it is taken or made."""

    image: MadeImage | None
    reason: str


class Made(msgspec.Struct, frozen=True):
    """A node's image, and what to remember about how it came."""

    image: MadeImage
    record: ComponentRecord


class Maker:
    """Makes nodes in one content repository with one engine."""

    def __init__(
        self,
        *,
        engine: Engine,
        images: StreamImages,
        importer: Importer,
        steps: StepMaker,
        clock: Clock,
        progress: Progress,
        forced: frozenset[str] = frozenset(),
        moves_tags: bool = True,
    ) -> None:
        """Nodes in ``forced`` are made although they are there.

        ``moves_tags`` says whether the stream's tags follow: not when sources are overridden.
        """
        self._engine = engine
        self._images = images
        self._importer = importer
        self._steps = steps
        self._clock = clock
        self._progress = progress
        self._forced = forced
        self._moves_tags = moves_tags

    async def make(
        self,
        node: Node,
        parents: Mapping[str, MadeImage],
        *,
        log: Path,
        retried: TellRetry = ignore_retry,
    ) -> Made:
        """The image of ``node``, whose ``parents`` are made. Raises OkdPayloadError.

        ``retried`` hears of every attempt after the first.
        """
        if isinstance(node, ComponentNode):
            made = await self._make_component(node, parents, log=log, retried=retried)
        elif isinstance(node, AliasNode):
            record = describe(node, Action.REUSED, reason=f"is {node.target}")
            made = Made(parents[node.target], record)
        else:
            made = await self._make_import(node, log)
        if self._moves_tags and not isinstance(node, ExternalNode):
            await self._images.publish(made.image.digest, node.name)
        record = msgspec.structs.replace(made.record, digest=made.image.digest)
        return Made(made.image, record)

    async def look_up(self, node: Node, parents: Mapping[str, MadeImage]) -> Finding:
        """What ``make`` would find for ``node``, whose ``parents`` are made.

        Raises OkdPayloadError.
        """
        if isinstance(node, ComponentNode):
            return await self._find_built(node, await self._prepare(node, parents))
        if isinstance(node, AliasNode):
            return Finding(parents[node.target], node.stub or f"is {node.target}")
        return await self._find_import(node)

    async def _make_component(
        self,
        node: ComponentNode,
        parents: Mapping[str, MadeImage],
        *,
        log: Path,
        retried: TellRetry,
    ) -> Made:
        prepared = await self._prepare(node, parents)
        found = await self._find_built(node, prepared)
        record = describe(node, Action.REUSED, reason=found.reason)
        record = msgspec.structs.replace(record, key=prepared.key)
        if found.image is not None:
            return Made(found.image, record)
        self._progress(Started(subject=node.name, activity="build", detail=found.reason))
        digest = await self._build(prepared.step, log, retried)
        await self._images.publish(digest, key_tag(prepared.key))
        record = msgspec.structs.replace(record, action=Action.BUILT)
        return Made(await self._images.read(digest), record)

    async def _prepare(self, node: ComponentNode, parents: Mapping[str, MadeImage]) -> PreparedStep:
        step = await self._steps.make_step(node, parents)
        return prepare(step, format_version=self._engine.format_version)

    async def _find_built(self, node: ComponentNode, prepared: PreparedStep) -> Finding:
        if node.name in self._forced:
            return _FORCED
        image = await self._images.find(prepared.key)
        if image is not None:
            return Finding(image, _NOTHING_CHANGED)
        before = await self._images.read_inputs(node.name)
        if before is None:
            return Finding(None, "not built yet")
        changes = explain_change(before, prepared.inputs)
        return Finding(None, "; ".join(changes) or "its image is gone")

    async def _build(self, step: BuildStep, log: Path, retried: TellRetry) -> Digest:
        """Build ``step``, again after transient failures."""

        def tell(retry: Retry) -> None:
            self._progress(Noticed(subject=step.tag, message=retry.message))
            retried(retry)

        for attempt, pause in enumerate(PAUSES, 1):
            try:
                return await self._engine.build(step, log=log, retried=tell)
            except TransientBuildError as error:
                message = f"attempt {attempt} failed ({error.message}), trying again"
                tell(Retry(_TRANSIENT, message))
            await self._clock.wait(pause)
        return await self._engine.build(step, log=log, retried=tell)

    async def _make_import(self, node: ImportNode | ExternalNode, log: Path) -> Made:
        found = await self._find_import(node)
        if found.image is not None:
            return Made(found.image, describe(node, Action.REUSED, reason=found.reason))
        record = describe(node, Action.IMPORTED, reason=found.reason)
        self._progress(Started(subject=node.name, activity="import", detail=record.source))
        return Made(await self._importer.bring(node, log=log), record)

    async def _find_import(self, node: ImportNode | ExternalNode) -> Finding:
        if node.name in self._forced:
            return _FORCED
        image = await self._importer.find(node)
        stub = node.stub if isinstance(node, ImportNode) else ""
        return Finding(image, stub or (_NOTHING_CHANGED if image else "not imported yet"))


_FORCED = Finding(None, "forced")
