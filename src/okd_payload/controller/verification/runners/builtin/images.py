# SPDX-License-Identifier: Apache-2.0
"""Whether the images of a release start: each is started once, or looked into where it cannot be.

An image is for one machine, so of a release for several every member is judged, and those for
other machines than this one are looked into only. So is everything where the system lets nobody
make namespaces, as in most pods; the log says so. An image without a command of its own is no
fault: whoever runs it names one.

Layers are read whole to start a program, and from the top no further than needed to look at it.
What is unpacked lies in a folder of this process, and goes when the last image of it is judged.
"""

from __future__ import annotations

import fnmatch
import itertools
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from okd_payload.clock import Clock
from okd_payload.controller.verification import codes
from okd_payload.controller.verification.runners.builtin.findings import Findings, tell_all
from okd_payload.controller.verification.runners.builtin.programs import find_problem, may_matter
from okd_payload.controller.verification.runners.builtin.remembered import GoodEnd, GoodEnds
from okd_payload.controller.verification.runners.builtin.starting import order_for, start
from okd_payload.controller.verification.runners.builtin.unpacking import (
    LayerStore,
    UnpackedLayer,
    make_root,
)
from okd_payload.errors import ContentError, InvalidReference, NotFound, StorageError
from okd_payload.imagestream.openshift import TagReference
from okd_payload.issues import Issue
from okd_payload.oci.config import ContainerConfig
from okd_payload.oci.image import Image, describe_image
from okd_payload.oci.layers.entry import Entry
from okd_payload.oci.layers.merged_tree import MergedTree
from okd_payload.oci.manifest import Descriptor, Index
from okd_payload.oci.platform import host_platform, image_members
from okd_payload.oci.reference import parse_reference
from okd_payload.oci.repository import Repository
from okd_payload.oci.threads import finish_in_thread
from okd_payload.release.concurrency import map_concurrently
from okd_payload.release.inputs import pull_spec_of
from okd_payload.release.new.images import RepositoryOf
from okd_payload.scratch import private_folder, remove_tree

_AT_ONCE = 4
_JUDGED_AT_ONCE = 2
_HINT = "containers of it do not start: mend the image's entrypoint, or what it copies there"
_FOLDER, _MEMORY_FOLDER = "unpacked", "started"
_PROBE = ContainerConfig(entrypoint=("/none",))
"""A program that is nowhere: a machine that can start programs refuses it."""


class StartChoice(msgspec.Struct, frozen=True, kw_only=True):
    """Which images are judged, and within which bounds."""

    images: tuple[str, ...] = ()
    """Globs of their names; all without."""
    architectures: tuple[str, ...] = ()
    """Which members of an index count, where there are several."""
    seconds: float = 10.0
    memory: int = 2048
    """Mebibytes that a program may write to."""

    def members_of(self, index: Index) -> list[tuple[Descriptor, str]]:
        """The members of ``index`` that are judged, with their architectures.

        All of them where none is for an architecture that counts.
        """
        members = [
            (member, member.platform.architecture if member.platform else "")
            for member in image_members(index)
        ]
        return [each for each in members if each[1] in self.architectures] or members

    def takes(self, name: str) -> bool:
        """Whether the image called ``name`` is judged."""
        return not self.images or any(fnmatch.fnmatchcase(name, glob) for glob in self.images)


class _Opened(msgspec.Struct, frozen=True, kw_only=True):
    """One image for one machine, or why it cannot be had."""

    name: str
    repository: Repository | None = None
    image: Image | None = None
    problem: str = ""


class _Judged(msgspec.Struct, frozen=True):
    """What was found of one image: it is good as ``checked`` says, or has a problem."""

    opened: _Opened
    checked: str = ""
    problem: str = ""


async def check_images(
    tags: Iterable[TagReference],
    repository_of: RepositoryOf,
    choice: StartChoice,
    *,
    state: Path,
    clock: Clock,
) -> Findings:
    """Which of the images that ``tags`` name do not start. Raises RegistryError, StorageError."""
    wanted = [tag for tag in tags if choice.takes(tag.name)]

    async def open_tag(tag: TagReference) -> list[_Opened]:
        return await _open(tag, repository_of, choice)

    opened = list(itertools.chain(*await map_concurrently(open_tag, wanted, at_once=_AT_ONCE)))
    async with _private(state / _FOLDER) as folder:
        judging = _Judging(choice, folder, GoodEnds(state / _MEMORY_FOLDER), clock)
        await judging.prepare()
        judged = await judging.judge_all(opened)
    issues = [_issue(each) for each in judged if each.problem]
    checked = [each.checked for each in judged if each.checked]
    notes = [f"nothing is started here: {judging.trouble}"] if judging.trouble else []
    return tell_all("images", issues, checked=[*notes, *checked])


async def _open(
    tag: TagReference, repository_of: RepositoryOf, choice: StartChoice
) -> list[_Opened]:
    """The image of ``tag``, for each machine that it is for."""
    try:
        reference = parse_reference(pull_spec_of(tag))
        repository = await repository_of(reference)
        referenced = await repository.manifests.get(reference.selector)
        if not referenced.is_index:
            image = await describe_image(repository, referenced, referenced=referenced)
            return [_Opened(name=tag.name, repository=repository, image=image)]
        found = []
        for member, architecture in choice.members_of(referenced.index()):
            manifest = await repository.manifests.get(member.digest)
            image = await describe_image(repository, manifest, referenced=referenced)
            name = f"{tag.name} ({architecture})"
            found.append(_Opened(name=name, repository=repository, image=image))
    except (InvalidReference, NotFound, ContentError) as error:
        return [_Opened(name=tag.name, problem=f"the image cannot be read: {error.message}")]
    return found


class _Judging:
    """All images of a release on their way to a verdict."""

    def __init__(self, choice: StartChoice, folder: Path, ends: GoodEnds, clock: Clock) -> None:
        self.trouble = ""
        """Why nothing can be started on this machine; empty when something can."""
        self._choice = choice
        self._folder = folder
        self._ends = ends
        self._clock = clock
        self._layers = LayerStore(folder / "layers", self._wants)
        self._numbers = itertools.count()

    async def prepare(self) -> None:
        """Find out whether programs can be started here."""
        root = self._folder / "empty"
        root.mkdir()
        await finish_in_thread(make_root, MergedTree(), {}, root)
        order = order_for(_PROBE, seconds=self._choice.seconds, memory=self._choice.memory)
        self.trouble = (await start(root, order)).trouble
        await finish_in_thread(self._ends.forget, now=self._clock.now())

    async def judge_all(self, opened: Sequence[_Opened]) -> list[_Judged]:
        """What is found of each, those that are remembered without reading them."""
        for each in opened:
            if each.image is not None:
                self._layers.expect(each.image.layers)
        try:
            return await map_concurrently(self._judge, opened, at_once=_JUDGED_AT_ONCE)
        finally:
            await self._layers.close()

    def _wants(self, entry: Entry) -> bool:
        return not self.trouble or may_matter(entry)

    async def _judge(self, opened: _Opened) -> _Judged:
        if opened.image is None or opened.repository is None:
            return _Judged(opened, problem=opened.problem)
        image, config = opened.image, opened.image.config
        if not (config.config.entrypoint or config.config.cmd):
            await self._layers.let_go(image.layers)
            return _Judged(opened, checked=f"{opened.name} has no command of its own")
        will_run = not self.trouble and config.architecture in ("", host_platform().architecture)
        known = self._ends.find(image.digest, now=self._clock.now())
        try:
            if known is not None and known.ran >= will_run:
                return _Judged(opened, checked=f"{opened.name} {known.word}, as seen before")
            judged, ran = await self._read_and_judge(opened, image, will_run=will_run)
        except (NotFound, ContentError) as error:
            return _Judged(opened, problem=f"its layers cannot be read: {error.message}")
        finally:
            await self._layers.let_go(image.layers)
        if not judged.problem:
            word = judged.checked.removeprefix(f"{opened.name} ")
            self._ends.note(image.digest, GoodEnd(ran=ran, word=word, time=self._clock.now()))
        return judged

    async def _read_and_judge(
        self, opened: _Opened, image: Image, *, will_run: bool
    ) -> tuple[_Judged, bool]:
        """What is found of the image, and whether it was started for that."""
        assert opened.repository is not None  # noqa: S101 - of an image that could be opened
        tree, layers = MergedTree(), dict[int, UnpackedLayer]()
        problem = ""
        for number, layer in reversed(list(enumerate(image.layers))):
            layers[number] = await self._layers.take(opened.repository, layer)
            await finish_in_thread(tree.add_layer, number, layers[number].entries)
            if not will_run or number == 0:
                problem = await finish_in_thread(_look, tree, layers, image)
                if not problem:
                    break
        if problem or not will_run:
            word = f"{opened.name} has what it needs to start"
            return _Judged(opened, checked="" if problem else word, problem=problem), False
        return await self._run(opened, image, tree, layers), True

    async def _run(
        self, opened: _Opened, image: Image, tree: MergedTree, layers: dict[int, UnpackedLayer]
    ) -> _Judged:
        config, choice = image.config.config, self._choice
        root = self._folder / f"root-{next(self._numbers)}"
        try:
            root.mkdir()
            await finish_in_thread(make_root, tree, layers, root)
            ended = await start(
                root, order_for(config, seconds=choice.seconds, memory=choice.memory)
            )
        except OSError as error:
            raise StorageError(
                f"cannot unpack an image in {root}: {error.strerror}",
                hint="make room in the state folder",
            ) from error
        finally:
            await finish_in_thread(remove_tree, root)
        if ended.trouble:
            raise StorageError(f"{opened.name} cannot be started now: {ended.trouble}")
        command = (*config.entrypoint, *config.cmd)[0]
        if ended.problem:
            return _Judged(opened, problem=f"its command {command} {ended.problem}")
        return _Judged(opened, checked=f"{opened.name} starts, and {ended.word}")


def _look(tree: MergedTree, layers: dict[int, UnpackedLayer], image: Image) -> str:
    return find_problem(tree, lambda node: layers[node.layer].file_of(node.entry), image.config)


def _issue(judged: _Judged) -> Issue:
    name = judged.opened.name
    return codes.UNSTARTABLE_IMAGE.issue(judged.problem, component=name, hint=_HINT)


@asynccontextmanager
async def _private(parent: Path) -> AsyncIterator[Path]:
    """A folder of this process below ``parent``. Raises StorageError."""
    try:
        with private_folder(parent) as folder:
            yield folder
    except OSError as error:
        raise StorageError(
            f"cannot unpack images below {parent}: {error.strerror}",
            hint="make room in the state folder",
        ) from error
