# SPDX-License-Identifier: Apache-2.0
"""Whether an image can start: its entrypoint is a file in it that may be run.

That is what can be said without running it: a path that leads nowhere, a folder, or a file without
the right to be run is what "exec format error" and "no such file or directory" come from. Layers
that several images share are read once. An image without a command of its own is no fault:
whoever runs it names one.
"""

from __future__ import annotations

import asyncio
import collections
from collections.abc import Iterable, Sequence

from okd_payload.controller.verification import codes
from okd_payload.controller.verification.runners.builtin.findings import Findings, tell_all
from okd_payload.errors import ContentError, InvalidReference, NotFound
from okd_payload.imagestream.openshift import TagReference
from okd_payload.issues import Issue
from okd_payload.oci.digest import Digest
from okd_payload.oci.image import Image, read_image
from okd_payload.oci.layers.entry import Entry
from okd_payload.oci.layers.merged_tree import MergedTree
from okd_payload.oci.layers.scan import LayerScan, scan
from okd_payload.oci.manifest import Descriptor
from okd_payload.oci.reference import parse_reference
from okd_payload.oci.repository import Repository
from okd_payload.release.concurrency import map_concurrently
from okd_payload.release.inputs import pull_spec_of
from okd_payload.release.new.images import RepositoryOf

_AT_ONCE = 4
_MAY_RUN = 0o111
_SEARCHED = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_HINT = "containers of it do not start: mend the image's entrypoint, or what it copies there"


async def check_programs(tags: Iterable[TagReference], repository_of: RepositoryOf) -> Findings:
    """What is wrong with the programs of the images that ``tags`` name. Raises RegistryError."""
    looking = _Looking(repository_of)
    images = await map_concurrently(looking.open, list(tags), at_once=_AT_ONCE)
    looking.count(images)
    found = await map_concurrently(looking.judge, images, at_once=_AT_ONCE)
    checked = [
        f"{opened.tag} can start"
        for opened, issues in zip(images, found, strict=True)
        if opened.image is not None and not issues
    ]
    return tell_all("images", [issue for issues in found for issue in issues], checked=checked)


class _Opened:
    """One image of a release, or why it cannot be had."""

    def __init__(
        self, tag: str, repository: Repository | None, image: Image | None, problem: str = ""
    ) -> None:
        self.tag = tag
        self.repository = repository
        self.image = image
        self.problem = problem


class _Looking:
    """Reads images, shared layers once."""

    def __init__(self, repository_of: RepositoryOf) -> None:
        self._repository_of = repository_of
        self._uses: collections.Counter[Digest] = collections.Counter()
        self._layers: dict[Digest, asyncio.Task[list[Entry]]] = {}

    async def open(self, tag: TagReference) -> _Opened:
        try:
            reference = parse_reference(pull_spec_of(tag))
            repository = await self._repository_of(reference)
            image = await read_image(repository, reference.selector)
        except (InvalidReference, NotFound, ContentError) as error:
            return _Opened(tag.name, None, None, error.message)
        return _Opened(tag.name, repository, image)

    def count(self, images: Iterable[_Opened]) -> None:
        """Note how many images each layer is in."""
        for opened in images:
            if opened.image is not None:
                self._uses.update(layer.digest for layer in opened.image.layers)

    async def judge(self, opened: _Opened) -> Sequence[Issue]:
        if opened.image is None or opened.repository is None:
            return [_issue(opened, f"the image cannot be read: {opened.problem}")]
        config = opened.image.config.config
        command = [*config.entrypoint, *config.cmd]
        if not command:
            return ()
        try:
            tree = await self._tree(opened.repository, opened.image)
            problem = _find_problem(tree, command[0], config.env, folder=config.working_dir)
        except (NotFound, ContentError) as error:
            problem = f"its layers cannot be read: {error.message}"
        return [_issue(opened, problem)] if problem else ()

    async def _tree(self, repository: Repository, image: Image) -> MergedTree:
        tree = MergedTree()
        for number, layer in reversed(list(enumerate(image.layers))):
            tree.add_layer(number, await self._entries(repository, layer))
        return tree

    async def _entries(self, repository: Repository, layer: Descriptor) -> list[Entry]:
        if layer.digest not in self._layers:
            self._layers[layer.digest] = asyncio.ensure_future(_list(repository, layer))
        task = self._layers[layer.digest]
        self._uses[layer.digest] -= 1
        if self._uses[layer.digest] <= 0:
            del self._layers[layer.digest]
        return await task


class _Listing:
    """A visitor that wants names only."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def enter(self, entry: Entry) -> bool:
        self.entries.append(entry)
        return False

    def take(self, content: memoryview) -> None:
        """Nothing: no content is wanted."""

    def leave(self) -> None:
        """Nothing follows an entry."""


async def _list(repository: Repository, layer: Descriptor) -> list[Entry]:
    listing = _Listing()
    await scan(repository.blobs.read(layer), LayerScan(listing, media_type=layer.media_type))
    return listing.entries


def _find_problem(
    tree: MergedTree, program: str, environment: Iterable[str], *, folder: str
) -> str:
    """Why ``program`` cannot be run; empty when it can."""
    path = next((text for text in environment if text.startswith("PATH=")), "")
    searched = (path.removeprefix("PATH=") or _SEARCHED).split(":")
    if "/" in program:
        places = [program if program.startswith("/") else f"{folder}/{program}"]
    else:
        places = [f"{each}/{program}" for each in searched if each]
    problems = [_judge_place(tree, place.lstrip("/")) for place in places]
    if "" in problems:
        return ""
    told = next((problem for problem in problems if problem != _ABSENT), _ABSENT)
    return f"its command {program} {told}"


_ABSENT = "is not in the image"


def _judge_place(tree: MergedTree, path: str) -> str:
    resolved = tree.resolve(path)
    if resolved is None or tree.node(resolved) is None:
        return _ABSENT
    node = tree.file(resolved)
    if node is None:
        return "is no file"
    return "" if node.entry.mode & _MAY_RUN else "may not be run by anybody"


def _issue(opened: _Opened, problem: str) -> Issue:
    return codes.UNSTARTABLE_IMAGE.issue(problem, component=opened.tag, hint=_HINT)
