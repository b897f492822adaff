# SPDX-License-Identifier: Apache-2.0
"""A bare copy of one repository in the cache: only the commits that were asked for.

A commit is fetched alone (``--depth=1``) and without file contents (``--filter=blob:none``);
git fetches those when they are read, all missing ones of a checkout at once. Of servers that
cannot do that the mirror is a whole copy. The ref ``refs/keep/<commit>`` is written last by git
itself, so it exists only for commits that are complete, and a kill leaves nothing worse than
files that the next run sweeps away. A copy that turns out to be damaged is thrown away and
fetched again.

Writers of a mirror are alone; readers share it, with each other and with nobody else.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from okd_payload.errors import SourceError
from okd_payload.oci.threads import finish_in_thread
from okd_payload.process import Outcome
from okd_payload.source.alteration import Alteration
from okd_payload.source.altering import make_altered_commit
from okd_payload.source.commits import LOG_FORMAT, parse_log
from okd_payload.source.content import clear, settle
from okd_payload.source.git import Git
from okd_payload.source.git_failures import complaint
from okd_payload.source.git_objects import tree_id
from okd_payload.source.locking import lock_if_free, locked
from okd_payload.source.mirror_folder import discard, is_whole, prepare, sweep
from okd_payload.source.model import Commit
from okd_payload.source.paths import outside, too_large
from okd_payload.source.remote import Remote

_logger = logging.getLogger(__name__)

T = TypeVar("T")

FETCH = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head")
_ONE_COMMIT = ("--depth=1", "--filter=blob:none")
EVERYTHING = ("+refs/heads/*:refs/all/heads/*", "+refs/tags/*:refs/all/tags/*")
INCAPABLE = re.compile(r"unadvertised object|dumb http transport|shallow|filter")
"""Words of servers that give nothing but whole branches."""
_FOUND_FILE = re.compile(rb"[0-9a-f]{40} blob ([0-9]+)\n")
_FOUND_TREE = re.compile(rb"^[0-9a-f]{40} tree [0-9]+\n", re.MULTILINE)
_SUBMODULE = re.compile(rb"(?:^|\0)160000 commit [0-9a-f]{40}\t([^\0]*)")


class _Damaged(Exception):
    """Something is not as it must be in a sound mirror; says what."""


class Mirror:
    """The cached copy of ``remote`` at ``path``, which need not exist yet."""

    def __init__(self, path: Path, remote: Remote, git: Git) -> None:
        self._path = path
        self._lock = path.with_name(f"{path.name}.lock")
        self._remote = remote
        self._git = git
        self._swept = False

    def holds(self, commit: str) -> bool:
        """Whether ``commit`` is here already."""
        return (self._path / _kept(commit)).is_file()

    async def describe(self, commit: str, *, ref: str) -> Commit:
        """All about ``commit``, which ``ref`` meant."""

        async def read(session: _Session) -> Commit:
            outcome = await session.ask("log", "-1", *LOG_FORMAT, _kept(commit))
            return parse_log(outcome.output, location=self._remote.url, ref=ref)

        return await self._reading(commit, read)

    async def read_file(self, commit: str, path: str) -> bytes | None:
        """The content of the file at ``path``, links followed; None when there is none."""

        async def read(session: _Session) -> bytes | None:
            wanted = os.fsencode(f"{_kept(commit)}:{plain}\n{_kept(commit)}^{{tree}}\n")
            outcome = await session.ask("cat-file", "--batch", "--follow-symlinks", stdin=wanted)
            file = _FOUND_FILE.match(outcome.output)
            if file and outcome.truncated:
                raise too_large(f"{path} of {self._remote.url}")
            if file:
                return outcome.output[file.end() : file.end() + int(file[1])]
            if outcome.output.startswith(b"symlink "):
                raise outside(path)
            if not _FOUND_TREE.search(outcome.output):
                raise _Damaged(f"the commit {commit} is incomplete")
            return None

        # Git would take a leading dot for a folder of this machine.
        plain = "/".join(name for name in path.split("/") if name not in ("", "."))
        if plain.startswith("../"):
            raise outside(path)
        return None if "\n" in path else await self._reading(commit, read)

    async def list_files(self, commit: str) -> tuple[str, ...]:
        """The paths of all files and links; no content is fetched for it."""

        async def read(session: _Session) -> tuple[str, ...]:
            outcome = await session.ask("ls-tree", "-r", "-z", "--name-only", _kept(commit))
            if outcome.truncated:
                raise too_large(f"the list of files of {self._remote.url}")
            return tuple(os.fsdecode(path) for path in outcome.output.split(b"\0") if path)

        return await self._reading(commit, read)

    async def check_out(self, commit: Commit, directory: Path) -> None:
        """Make ``directory`` exactly the tree of ``commit``, and prove it."""

        async def write(session: _Session) -> None:
            index = self._path / f"index-{secrets.token_hex(8)}"
            places = {"GIT_WORK_TREE": str(directory), "GIT_INDEX_FILE": str(index)}
            await finish_in_thread(clear, directory)
            try:
                await session.ask(
                    "read-tree", "-u", "--reset", _kept(commit.id), environment=places
                )
            finally:
                index.unlink(missing_ok=True)
            files = await finish_in_thread(settle, directory, time=commit.time)
            if tree_id(files) != commit.tree:
                await self._refuse_submodules(commit, session)
                raise _Damaged(f"the checkout of {commit.id} is not the tree {commit.tree}")

        await self._reading(commit.id, write)

    async def alter(self, commit: Commit, alteration: Alteration) -> Commit:
        """The commit on top of ``commit`` that has ``alteration`` in it, kept here as any other."""

        async def write(session: _Session) -> Commit:
            made = await make_altered_commit(session, self._path, commit, alteration)
            await session.ask("update-ref", _kept(made), made)
            outcome = await session.ask("log", "-1", *LOG_FORMAT, made)
            described = parse_log(outcome.output, location=self._remote.url, ref=commit.ref)
            return msgspec.structs.replace(described, dirty=True)

        return await self._reading(commit.id, write)

    async def _refuse_submodules(self, commit: Commit, session: _Session) -> None:
        listing = await session.ask("ls-tree", "-r", "-z", _kept(commit.id))
        submodule = _SUBMODULE.search(listing.output)
        if submodule:
            raise SourceError(
                f"{self._remote.url} has a submodule at {os.fsdecode(submodule[1])}",
                hint="submodules are not supported: build from a folder that holds their files "
                "and has no .git folders",
            )

    async def _reading(self, commit: str, read: Callable[[_Session], Awaitable[T]]) -> T:
        """What ``read`` returns with the commit present; once more where the mirror is damaged."""
        try:
            return await self._read_once(commit, read)
        except _Damaged as damage:
            _logger.warning("fetching %s anew: %s", self._remote.url, damage)
        async with locked(self._lock):
            await finish_in_thread(discard, self._path)
        try:
            return await self._read_once(commit, read)
        except _Damaged as damage:
            raise SourceError(
                f"cannot read {commit} of {self._remote.url}: {damage}",
                hint=f"check the disk and the rights of {self._path.parent}",
            ) from damage

    async def _read_once(self, commit: str, read: Callable[[_Session], Awaitable[T]]) -> T:
        await self._sweep_once()
        if not self.holds(commit):
            async with locked(self._lock) as lock:
                if not self.holds(commit):  # nobody fetched it while we waited
                    await finish_in_thread(sweep, self._path)
                    await finish_in_thread(prepare, self._path, self._remote)
                    await self._fetch(commit, self._session(commit, lock))
        async with locked(self._lock, shared=True) as lock:
            return await read(self._session(commit, lock))

    async def _sweep_once(self) -> None:
        """Clean up after a killed run, unless another one is at work here and may own it all."""
        if not self._swept:
            self._swept = True
            with lock_if_free(self._lock) as free:
                if free:
                    await finish_in_thread(sweep, self._path)

    async def _fetch(self, commit: str, session: _Session) -> None:
        """Fetch ``commit``: alone if the server lets us, else with all that it has."""
        if not is_whole(self._path):
            keep = f"+{commit}:{_kept(commit)}"
            outcome = await session.attempt(*FETCH, *_ONE_COMMIT, "origin", keep)
            if outcome.code == 0:
                return
            if "not our ref" in outcome.errors:
                raise self._gone(commit)
            if not INCAPABLE.search(outcome.errors):
                raise _Damaged(complaint(outcome))
            # Git takes the gaps of a partial copy for what a server owes it, also when that
            # server cannot fill them: such a copy cannot be completed, only replaced.
            await finish_in_thread(discard, self._path)
            await finish_in_thread(prepare, self._path, self._remote, whole=True)
        await session.ask(*FETCH, "--prune", "origin", *EVERYTHING)
        outcome = await session.attempt("update-ref", _kept(commit), commit)
        if outcome.code != 0:
            raise self._gone(commit)

    def _gone(self, commit: str) -> SourceError:
        return SourceError(
            f"{self._remote.url} has no commit {commit}",
            hint="its history may have been rewritten: resolve the branch again, without the lock",
        )

    def _session(self, commit: str, lock: int) -> _Session:
        return _Session(
            git=self._git,
            remote=self._remote,
            purpose=f"read {commit[:12]}",
            environment={"GIT_DIR": str(self._path)},
            lock=lock,
        )


class _Session(msgspec.Struct, frozen=True, kw_only=True):
    """Commands on a locked mirror; the lock is held until the last of them is gone."""

    git: Git
    remote: Remote
    purpose: str
    environment: dict[str, str]
    lock: int

    async def attempt(
        self,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
    ) -> Outcome:
        """Run a command that may fail."""
        return await self.git.ask(
            self.remote,
            *arguments,
            purpose=self.purpose,
            environment={**self.environment, **(environment or {})},
            stdin=stdin,
            held=(self.lock,),
        )

    async def ask(
        self,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
    ) -> Outcome:
        """Run a command that succeeds on every sound mirror."""
        outcome = await self.attempt(*arguments, environment=environment, stdin=stdin)
        if outcome.code != 0:
            raise _Damaged(complaint(outcome))
        return outcome


def _kept(commit: str) -> str:
    return f"refs/keep/{commit}"
