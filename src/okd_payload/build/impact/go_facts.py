# SPDX-License-Identifier: Apache-2.0
"""What components say about their Go modules, at the commits that they are built from.

Single files are read, all components at a time: nothing is checked out. A repository that has
no ``go.mod`` at its root, in the build context or in its workspace is taken for no Go.
"""

from __future__ import annotations

import posixpath

import msgspec

from okd_payload.build.plan import ComponentNode
from okd_payload.catalog.go_modules import vendor_list
from okd_payload.catalog.go_modules.dependence import GO_MOD, MainModule
from okd_payload.catalog.go_modules.go_mod import read_go_mod, read_go_work
from okd_payload.catalog.go_modules.vendor_list import read_vendor_list
from okd_payload.errors import InvalidDocument, SourceError
from okd_payload.release.concurrency import map_concurrently
from okd_payload.source.model import Commit, Source, SourceTree

GO_WORK = "go.work"
_AT_ONCE = 512


class GoFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The modules of one component, or why they are not known."""

    modules: tuple[MainModule, ...] = ()
    problem: str = ""


async def read_go_facts(
    nodes: tuple[ComponentNode, ...], sources: SourceTree
) -> dict[str, GoFacts]:
    """What each of ``nodes`` says, by tag. Raises MissingTool and StorageError."""

    async def read(place: _Place) -> GoFacts:
        try:
            return await _Reader(sources, place.source, place.commit).read(place.context)
        except (InvalidDocument, SourceError) as error:
            return GoFacts(problem=error.message)

    places = {node.name: place for node in nodes if (place := _place_of(node)) is not None}
    # Several components may be built from one folder of one repository.
    different = list(dict.fromkeys(places.values()))
    found = await map_concurrently(read, different, at_once=_AT_ONCE)
    known = dict(zip(different, found, strict=True))
    return {name: known[place] for name, place in places.items()}


class _Place(msgspec.Struct, frozen=True):
    """What is looked into."""

    source: Source
    commit: Commit
    context: str


def _place_of(node: ComponentNode) -> _Place | None:
    source, commit = node.component.source, node.commit
    if source is None or commit is None:
        return None
    return _Place(source, commit, node.component.context_directory)


class _Reader:
    """Reads modules of one commit."""

    def __init__(self, sources: SourceTree, source: Source, commit: Commit) -> None:
        self._sources = sources
        self._source = source
        self._commit = commit

    async def read(self, context: str) -> GoFacts:
        folders = dict.fromkeys(("", posixpath.normpath(context).removeprefix(".")))
        workspace = await self._file(GO_WORK)
        if workspace is not None:
            work = read_go_work(workspace, path=GO_WORK)
            folders |= dict.fromkeys(posixpath.normpath(use) for use in work.uses)
        found: list[MainModule] = []
        for folder in folders:
            plain = "" if folder == "." else folder
            module = await self._module(plain, shared=workspace is not None)
            if module is not None and module.folder not in [known.folder for known in found]:
                found.append(module)
        paths = [module.go_mod.module for module in found]
        return GoFacts(
            modules=tuple(
                msgspec.structs.replace(
                    module,
                    siblings=tuple(path for path in paths if path != module.go_mod.module),
                )
                if workspace is not None
                else module
                for module in found
            )
        )

    async def _module(self, folder: str, *, shared: bool) -> MainModule | None:
        path = posixpath.join(folder, GO_MOD)
        content = await self._file(path)
        if content is None:
            return None
        go_mod = read_go_mod(content, path=path)
        for place in dict.fromkeys((folder, "") if shared else (folder,)):
            listed = await self._file(posixpath.join(place, vendor_list.PATH))
            if listed is not None:
                return MainModule(
                    folder=folder,
                    go_mod=go_mod,
                    vendored=read_vendor_list(listed),
                    vendor_folder=place,
                )
        return MainModule(folder=folder, go_mod=go_mod)

    async def _file(self, path: str) -> bytes | None:
        return await self._sources.read_file(self._source, self._commit, path)
