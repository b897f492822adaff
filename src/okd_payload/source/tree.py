# SPDX-License-Identifier: Apache-2.0
"""All sources behind one door: ``Sources`` implements ``SourceTree`` for git and folders.

What was resolved stays resolved for the life of the object, so that one run sees one state of
the world. Reading at a commit asks no server for what the cache holds, and no git for files and
descriptions that were read before.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from pathlib import Path

from okd_payload.clock import Clock
from okd_payload.errors import InputError, OkdPayloadError, SourceError, StorageError
from okd_payload.locations import Locations
from okd_payload.oci.threads import finish_in_thread
from okd_payload.progress import Failed, Finished, Progress, Started, ignore_progress
from okd_payload.source.alteration import Alteration
from okd_payload.source.altered_folder import alter_snapshot
from okd_payload.source.folder import Snapshot, take_snapshot
from okd_payload.source.git import REMOTE_SECONDS, Git
from okd_payload.source.kept import KeptReadings
from okd_payload.source.mirror import Mirror
from okd_payload.source.model import Commit, FolderSource, GitSource, Source
from okd_payload.source.references import check_ref, look_up
from okd_payload.source.remote import Remote, parse_remote

_ANOTHER = "name another folder, one that is empty or not there"


class Sources:
    """Git repositories through mirrors below ``locations.git``, and folders of this machine."""

    def __init__(
        self,
        locations: Locations,
        *,
        clock: Clock,
        progress: Progress = ignore_progress,
        patience: float = REMOTE_SECONDS,
    ) -> None:
        """No git command may take longer than ``patience`` seconds."""
        self._locations = locations
        self._kept = KeptReadings(locations, clock=clock)
        self._clock = clock
        self._progress = progress
        self._git = Git(clock, patience=patience, progress=progress)
        self._alone: defaultdict[Source, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._commits: dict[Source, Commit] = {}
        self._mirrors: dict[Remote, Mirror] = {}
        self._snapshots: dict[tuple[str, str], Snapshot] = {}

    async def resolve(self, source: Source) -> Commit:
        """The commit that ``source`` means now, or meant when first asked. Raises SourceError."""
        async with self._alone[source]:
            if source not in self._commits:
                self._commits[source] = await self._resolve(source)
            return self._commits[source]

    async def read_file(self, source: Source, commit: Commit, path: str) -> bytes | None:
        """One file's content at ``commit``, None when there is no such file. Raises SourceError."""
        if isinstance(source, FolderSource):
            snapshot = await self._snapshot(source, commit)
            return await finish_in_thread(snapshot.read_file, path)
        kept = self._kept.file(commit.id, path)
        if kept is not None:
            return kept.content
        content = await self._mirror(_remote(source)).read_file(commit.id, path)
        self._kept.keep_file(commit.id, path, content)
        return content

    async def list_files(self, source: Source, commit: Commit) -> tuple[str, ...]:
        """The paths of all files and links at ``commit``. Raises SourceError."""
        if isinstance(source, FolderSource):
            snapshot = await self._snapshot(source, commit)
            return tuple(sorted(snapshot.files))
        return await self._mirror(_remote(source)).list_files(commit.id)

    async def check_out(self, source: Source, commit: Commit, directory: Path) -> None:
        """Fill the empty ``directory`` with exactly the content of ``commit``, clean.

        Raises SourceError.
        """
        place = _empty(directory)
        if isinstance(source, FolderSource):
            snapshot = await self._snapshot(source, commit)
            await finish_in_thread(snapshot.copy_to, place)
        else:
            mirror = self._mirror(_remote(source))
            await mirror.check_out(commit, place)

    async def alter(self, source: Source, commit: Commit, alteration: Alteration) -> Commit:
        """The commit on top of ``commit`` with ``alteration`` in it. Raises SourceError."""
        if isinstance(source, FolderSource):
            snapshot = await self._snapshot(source, commit)
            altered = await alter_snapshot(snapshot, alteration, self._git)
            self._snapshots[source.path, altered.commit.id] = altered
            return altered.commit
        return await self._mirror(_remote(source)).alter(commit, alteration)

    async def _resolve(self, source: Source) -> Commit:
        if isinstance(source, FolderSource):
            snapshot = await take_snapshot(Path(source.path), self._git)
            self._snapshots[source.path, snapshot.commit.id] = snapshot
            return snapshot.commit
        remote = _remote(source)
        commit = await look_up(self._git, remote, source.ref)
        kept = self._kept.commit(source, commit)
        if kept is not None:
            return kept
        mirror = self._mirror(remote)
        if mirror.holds(commit):
            described = await mirror.describe(commit, ref=source.ref)
        else:
            described = await self._fetch(source, mirror, commit)
        self._kept.keep_commit(source, described)
        return described

    async def _fetch(self, source: GitSource, mirror: Mirror, commit: str) -> Commit:
        started = self._clock.monotonic()
        self._progress(Started(subject=str(source), activity="fetch", detail=commit[:12]))
        try:
            described = await mirror.describe(commit, ref=source.ref)
        except OkdPayloadError as error:
            seconds = self._clock.monotonic() - started
            self._progress(Failed(subject=str(source), reason=error.message, seconds=seconds))
            raise
        seconds = self._clock.monotonic() - started
        self._progress(Finished(subject=str(source), outcome="fetched", seconds=seconds))
        return described

    async def _snapshot(self, source: FolderSource, commit: Commit) -> Snapshot:
        """The content of the folder, which must still be that of ``commit``."""
        known = self._snapshots.get((source.path, commit.id))
        if known is None:
            known = await take_snapshot(Path(source.path), self._git)
            if known.commit.id != commit.id:
                raise SourceError(
                    f"the content of {source.path} is {known.commit.id}, not {commit.id}",
                    hint="it has changed since it was resolved or locked: resolve it again",
                )
            self._snapshots[source.path, commit.id] = known
        return known

    def _mirror(self, remote: Remote) -> Mirror:
        if remote not in self._mirrors:
            place = self._locations.git / remote.folder_name
            self._mirrors[remote] = Mirror(place, remote, self._git)
        return self._mirrors[remote]


def _remote(source: GitSource) -> Remote:
    """Where ``source`` is. Raises SourceError when that cannot be a repository or a ref."""
    try:
        if source.ref:
            check_ref(source.ref)
        return parse_remote(source.url)
    except InputError as error:
        raise SourceError(error.message, hint=error.hint) from error


def _empty(directory: Path) -> Path:
    """``directory``, absolute and there. Raises StorageError when it holds something."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        occupied = any(directory.iterdir())
    except OSError as error:
        raise StorageError(
            f"cannot check out into {directory}: {error.strerror}", hint=_ANOTHER
        ) from error
    if occupied:
        raise StorageError(f"cannot check out into {directory}: it is not empty", hint=_ANOTHER)
    return directory.absolute()
