# SPDX-License-Identifier: Apache-2.0
"""Sources where a snapshot is made, and where it is used.

``RecordingSources`` remembers how altered commits came about, so that they can be made again
elsewhere. ``SnapshotSources`` serves what a snapshot brings: folders by their commits, and
altered commits, which it makes from the commit they stand on when somebody needs them. All else
is asked of the sources behind both.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from pathlib import Path

from okd_payload.build.snapshot.model import PackedAlteration, PackedFolder
from okd_payload.errors import SourceError
from okd_payload.oci.threads import finish_in_thread
from okd_payload.source.alteration import Alteration, FileChanges, Patches
from okd_payload.source.content import hash_files, list_files
from okd_payload.source.folder import Snapshot
from okd_payload.source.git_objects import tree_id
from okd_payload.source.listing import ListedSourceTree
from okd_payload.source.model import Commit, FolderSource, GitSource, Source

UnpackFolder = Callable[[PackedFolder], Awaitable[Path]]
"""Brings the files of a packed folder to this machine; where they are then."""


class RecordingSources:
    """Sources that remember what was altered, by the commit that it gave."""

    def __init__(self, inner: ListedSourceTree) -> None:
        self._inner = inner
        self.alterations: dict[str, PackedAlteration] = {}

    async def resolve(self, source: Source) -> Commit:
        """The commit that ``source`` means now. Raises SourceError."""
        return await self._inner.resolve(source)

    async def read_file(self, source: Source, commit: Commit, path: str) -> bytes | None:
        """One file's content at ``commit``. Raises SourceError."""
        return await self._inner.read_file(source, commit, path)

    async def list_files(self, source: Source, commit: Commit) -> tuple[str, ...]:
        """The paths of all files and links at ``commit``. Raises SourceError."""
        return await self._inner.list_files(source, commit)

    async def check_out(self, source: Source, commit: Commit, directory: Path) -> None:
        """Fill ``directory`` with the content of ``commit``. Raises SourceError."""
        await self._inner.check_out(source, commit, directory)

    async def alter(self, source: Source, commit: Commit, alteration: Alteration) -> Commit:
        """The commit with ``alteration`` in it, remembered. Raises SourceError."""
        altered = await self._inner.alter(source, commit, alteration)
        if isinstance(source, GitSource):
            self.alterations[altered.id] = PackedAlteration(
                source=source,
                base=commit,
                commit=altered,
                changes=alteration if isinstance(alteration, FileChanges) else None,
                patches=alteration if isinstance(alteration, Patches) else None,
            )
        return altered


class SnapshotSources:
    """Sources with what a snapshot brings in front of them."""

    def __init__(
        self,
        inner: ListedSourceTree,
        *,
        root: Path,
        folders: tuple[PackedFolder, ...],
        alterations: tuple[PackedAlteration, ...],
        unpack: UnpackFolder,
    ) -> None:
        """``root`` is the folder that the snapshot is unpacked to."""
        self._inner = inner
        self._root = root
        self._folders = {folder.commit.id: folder for folder in folders}
        self._alterations = {each.commit.id: each for each in alterations}
        self._unpack = unpack
        self._alone: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._opened: dict[str, Snapshot] = {}
        self._made: set[str] = set()

    async def resolve(self, source: Source) -> Commit:
        """The commit that ``source`` means: of a folder in the snapshot, the packed one.

        Raises SourceError.
        """
        if isinstance(source, FolderSource):
            for folder in self._folders.values():
                if Path(source.path) == self._root / folder.place:
                    return folder.commit
        return await self._inner.resolve(source)

    async def read_file(self, source: Source, commit: Commit, path: str) -> bytes | None:
        """One file's content at ``commit``. Raises SourceError."""
        snapshot = await self._open(commit)
        if snapshot is not None:
            return await finish_in_thread(snapshot.read_file, path)
        await self._make(commit)
        return await self._inner.read_file(source, commit, path)

    async def list_files(self, source: Source, commit: Commit) -> tuple[str, ...]:
        """The paths of all files and links at ``commit``. Raises SourceError."""
        snapshot = await self._open(commit)
        if snapshot is not None:
            return tuple(sorted(snapshot.files))
        await self._make(commit)
        return await self._inner.list_files(source, commit)

    async def check_out(self, source: Source, commit: Commit, directory: Path) -> None:
        """Fill the empty ``directory`` with the content of ``commit``. Raises SourceError."""
        snapshot = await self._open(commit)
        if snapshot is not None:
            await finish_in_thread(_copy, snapshot, directory)
            return
        await self._make(commit)
        await self._inner.check_out(source, commit, directory)

    async def alter(self, source: Source, commit: Commit, alteration: Alteration) -> Commit:
        """The commit on top of ``commit`` with ``alteration`` in it. Raises SourceError."""
        await self._make(commit)
        return await self._inner.alter(source, commit, alteration)

    async def _open(self, commit: Commit) -> Snapshot | None:
        """The packed folder with the content of ``commit``, None when it is none of them."""
        folder = self._folders.get(commit.id)
        if folder is None:
            return None
        async with self._alone[commit.id]:
            if commit.id not in self._opened:
                root = await self._unpack(folder)
                self._opened[commit.id] = await finish_in_thread(_look_at, root, folder.commit)
            return self._opened[commit.id]

    async def _make(self, commit: Commit) -> None:
        """Make ``commit`` where the sources behind can read it, if it is an altered one."""
        packed = self._alterations.get(commit.id)
        if packed is None:
            return
        async with self._alone[commit.id]:
            if commit.id in self._made:
                return
            await self._make(packed.base)
            alteration: Alteration | None = packed.changes or packed.patches
            made = packed.base
            if alteration is not None:
                made = await self._inner.alter(packed.source, packed.base, alteration)
            if made.id != commit.id:
                raise SourceError(
                    f"{packed.source} altered again gives {made.id}, and the snapshot has "
                    f"{commit.id}",
                    hint="make the snapshot anew: its patches were applied by another git",
                )
            self._made.add(commit.id)


def _copy(snapshot: Snapshot, directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    snapshot.copy_to(directory)


def _look_at(root: Path, commit: Commit) -> Snapshot:
    """What was unpacked to ``root``, which must be the content of ``commit``. Blocks."""
    files = hash_files(root, list_files(root))
    if tree_id(files) != commit.tree:
        raise SourceError(
            f"what the snapshot has for commit {commit.id} is not its content",
            hint="make the snapshot anew: the folder changed while it was made",
        )
    return Snapshot(root, commit, files)
