# SPDX-License-Identifier: Apache-2.0
"""Making one node of a plan: find it, or bring it, or build it.

The order of writes makes every moment safe to be killed in: the image first, then the tag of
its key, then the tag of the stream. Whoever comes next finds by key what was finished.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import msgspec

from okd_payload.build.engine import BuildStep, Engine
from okd_payload.build.images import MadeImage, StreamImages
from okd_payload.build.key import explain_change, key_tag
from okd_payload.build.plan import AliasNode, ComponentNode, ExternalNode, ImportNode, Node
from okd_payload.build.records import Action, ComponentRecord
from okd_payload.build.steps import PreparedStep, prepare
from okd_payload.clock import Clock
from okd_payload.errors import TransientBuildError
from okd_payload.oci.digest import Digest
from okd_payload.progress import Noticed, Progress, Started

ATTEMPTS = 3
_FIRST_PAUSE = 2.0
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

    async def make(self, node: Node, parents: Mapping[str, MadeImage], *, log: Path) -> Made:
        """The image of ``node``, whose ``parents`` are made. Raises OkdPayloadError."""
        if isinstance(node, ComponentNode):
            made = await self._make_component(node, parents, log)
        elif isinstance(node, AliasNode):
            made = _alias(node, parents[node.target])
        else:
            made = await self._bring(node, log)
        if self._moves_tags and not isinstance(node, ExternalNode):
            await self._images.publish(made.image.digest, node.name)
        return made

    async def look_up(
        self, node: Node, parents: Mapping[str, MadeImage]
    ) -> tuple[MadeImage | None, str]:
        """The image that ``node`` has already, or None, and why it is so."""
        if isinstance(node, AliasNode):
            return parents[node.target], node.stub or f"is {node.target}"
        if not isinstance(node, ComponentNode):
            image = None if node.name in self._forced else await self._importer.find(node)
            return image, _NOTHING_CHANGED if image else "not imported yet"
        prepared = await self._prepare(node, parents)
        image = await self._find(node, prepared)
        return image, _NOTHING_CHANGED if image else await self._explain(node, prepared)

    async def _make_component(
        self, node: ComponentNode, parents: Mapping[str, MadeImage], log: Path
    ) -> Made:
        prepared = await self._prepare(node, parents)
        record = _describe(node, prepared)
        found = await self._find(node, prepared)
        if found is not None:
            reused = msgspec.structs.replace(
                record, action=Action.REUSED, digest=found.digest, reason=_NOTHING_CHANGED
            )
            return Made(found, reused)
        reason = await self._explain(node, prepared)
        self._progress(Started(subject=node.name, activity="build", detail=reason))
        digest, attempts = await self._build(prepared.step, log)
        await self._images.publish(digest, key_tag(prepared.key))
        built = msgspec.structs.replace(
            record, action=Action.BUILT, digest=digest, reason=reason, attempts=attempts
        )
        return Made(await self._images.read(digest), built)

    async def _prepare(self, node: ComponentNode, parents: Mapping[str, MadeImage]) -> PreparedStep:
        step = await self._steps.make_step(node, parents)
        return prepare(step, format_version=self._engine.format_version)

    async def _find(self, node: ComponentNode, prepared: PreparedStep) -> MadeImage | None:
        return None if node.name in self._forced else await self._images.find(prepared.key)

    async def _explain(self, node: ComponentNode, prepared: PreparedStep) -> str:
        if node.name in self._forced:
            return "forced"
        before = await self._images.read_inputs(node.name)
        if before is None:
            return "not built yet"
        return "; ".join(explain_change(before, prepared.inputs)) or "its image is gone"

    async def _build(self, step: BuildStep, log: Path) -> tuple[Digest, int]:
        """Build ``step``, again after transient failures; the digest and the attempts."""
        pause = _FIRST_PAUSE
        for attempt in range(1, ATTEMPTS):
            try:
                return await self._engine.build(step, log=log), attempt
            except TransientBuildError as error:
                message = f"attempt {attempt} failed ({error.message}), trying again"
                self._progress(Noticed(subject=step.tag, message=message))
            await self._clock.wait(pause)
            pause *= 2
        return await self._engine.build(step, log=log), ATTEMPTS

    async def _bring(self, node: ImportNode | ExternalNode, log: Path) -> Made:
        stub = node.stub if isinstance(node, ImportNode) else ""
        command = node.command if isinstance(node, ImportNode) else ()
        source = node.reference or " ".join(command)
        found = None if node.name in self._forced else await self._importer.find(node)
        if found is None:
            self._progress(Started(subject=node.name, activity="import", detail=source))
        image = found or await self._importer.bring(node, log=log)
        action = Action.IMPORTED if found is None else Action.REUSED
        record = ComponentRecord(
            name=node.name,
            tag=node.name,
            action=Action.STUB if stub else action,
            digest=image.digest,
            reason=stub or ("" if found is None else _NOTHING_CHANGED),
            source=source,
        )
        return Made(image, record)


def _alias(node: AliasNode, target: MadeImage) -> Made:
    record = ComponentRecord(
        name=node.name,
        tag=node.name,
        action=Action.STUB if node.stub else Action.REUSED,
        digest=target.digest,
        reason=node.stub or f"is {node.target}",
        source=node.target,
    )
    return Made(target, record)


def _describe(node: ComponentNode, prepared: PreparedStep) -> ComponentRecord:
    commit = node.commit
    return ComponentRecord(
        name=node.component.name,
        tag=node.name,
        action=Action.REUSED,
        key=prepared.key,
        commit=commit.id if commit else "",
        source=(commit.location or str(node.component.source)) if commit else "",
        dirty=commit.dirty if commit else False,
    )
