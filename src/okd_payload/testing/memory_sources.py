# SPDX-License-Identifier: Apache-2.0
"""Sources that are a few dictionaries: the twin of ``Sources``.

Commits have the ids that git would give them, so build keys and locks made from them are as
good as real ones. Tests change what a source means with ``put``, break it with ``fail``, and
read from ``operations`` what was asked, in order.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from okd_payload.errors import OkdPayloadError, SourceError
from okd_payload.source.alteration import Alteration, FileChanges, Patches, kept_paths
from okd_payload.source.altered_folder import alter_commit
from okd_payload.source.commits import date_of
from okd_payload.source.content import settle
from okd_payload.source.git_objects import Entry, Mode, Person, blob_id, commit_id, tree_id
from okd_payload.source.model import Commit, FolderSource, Source
from okd_payload.source.paths import find_file
from okd_payload.source.remote import parse_remote

AUTHOR = "Test Author <author@example.com>"
TIME = 1_700_000_000


class MemoryFile(msgspec.Struct, frozen=True):
    """A file that is not a plain one; the content of a link is its target."""

    content: bytes
    mode: Mode


class MemorySourceTree:
    """Sources in memory, by exactly the source that was put."""

    def __init__(self) -> None:
        self.operations: list[tuple[str, str]] = []
        """Verb and source of every call, in order."""
        self._meanings: dict[Source, Commit | OkdPayloadError] = {}
        self._contents: dict[str, dict[str, MemoryFile]] = {}
        self._patches: dict[Patches, FileChanges | OkdPayloadError] = {}

    def put(
        self,
        source: Source,
        files: Mapping[str, str | bytes | MemoryFile],
        *,
        message: str = "Change",
        time: int = TIME,
        dirty: bool = False,
    ) -> Commit:
        """Let ``source`` mean ``files`` from now on; earlier commits stay readable."""
        content = {path: _file(file) for path, file in files.items()}
        tree = tree_id(_entries(content))
        commit = Commit(
            id=commit_id(
                tree=tree, parents=(), author=Person(AUTHOR, time), message=f"{message}\n"
            ),
            tree=tree,
            time=time,
            location="" if isinstance(source, FolderSource) else parse_remote(source.url).url,
            ref="" if isinstance(source, FolderSource) else source.ref,
            author=AUTHOR,
            date=date_of(time),
            message=message,
            dirty=dirty,
        )
        self._meanings[source] = commit
        self._contents[commit.id] = content
        return commit

    def fail(self, source: Source, error: OkdPayloadError) -> None:
        """Let resolving ``source`` raise ``error`` from now on."""
        self._meanings[source] = error

    async def resolve(self, source: Source) -> Commit:
        """The commit that was put last."""
        self.operations.append(("resolve", str(source)))
        meaning = self._meanings.get(source)
        if meaning is None:
            raise SourceError(f"there is no source {source}", hint="put it first")
        if isinstance(meaning, OkdPayloadError):
            raise meaning
        return meaning

    async def read_file(self, source: Source, commit: Commit, path: str) -> bytes | None:
        """One file's content at ``commit``, None when there is no such file."""
        self.operations.append(("read_file", f"{source} {path}"))
        content = self._content(source, commit)
        name = find_file(
            _entries(content),
            path,
            read_link=lambda link: os.fsdecode(content[link].content),
        )
        return None if name is None else content[name].content

    async def list_files(self, source: Source, commit: Commit) -> tuple[str, ...]:
        """The paths of all files and links."""
        self.operations.append(("list_files", str(source)))
        return tuple(sorted(self._content(source, commit)))

    async def check_out(self, source: Source, commit: Commit, directory: Path) -> None:
        """Fill ``directory`` with the content of ``commit``."""
        self.operations.append(("check_out", str(source)))
        for path, file in self._content(source, commit).items():
            target = directory / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if file.mode is Mode.LINK:
                target.symlink_to(os.fsdecode(file.content))
            else:
                target.write_bytes(file.content)
                target.chmod(0o755 if file.mode is Mode.EXECUTABLE else 0o644)
        settle(directory, time=commit.time)

    def let_patches(self, patches: Patches, meaning: FileChanges | OkdPayloadError) -> None:
        """Let ``patches`` mean these changes wherever they are applied, or raise."""
        self._patches[patches] = meaning

    async def alter(self, source: Source, commit: Commit, alteration: Alteration) -> Commit:
        """The commit on top of ``commit`` with ``alteration`` in it."""
        self.operations.append(("alter", str(source)))
        if isinstance(alteration, Patches):
            meaning = self._patches.get(alteration)
            if meaning is None:
                raise SourceError("nobody said what these patches mean", hint="let_patches first")
            if isinstance(meaning, OkdPayloadError):
                raise meaning
            alteration = meaning
        before = self._content(source, commit)
        content = {path: before[path] for path in kept_paths(before, alteration)}
        content |= {file.path: MemoryFile(file.content, file.mode) for file in alteration.files}
        altered = alter_commit(commit, tree_id(_entries(content)), alteration)
        self._contents[altered.id] = content
        return altered

    def _content(self, source: Source, commit: Commit) -> dict[str, MemoryFile]:
        if commit.id not in self._contents:
            raise SourceError(f"{source} has no commit {commit.id}", hint="put it first")
        return self._contents[commit.id]


def _file(given: str | bytes | MemoryFile) -> MemoryFile:
    if isinstance(given, MemoryFile):
        return given
    return MemoryFile(given.encode() if isinstance(given, str) else given, Mode.FILE)


def _entries(content: Mapping[str, MemoryFile]) -> dict[str, Entry]:
    return {path: Entry(file.mode, blob_id(file.content)) for path, file in content.items()}
