# SPDX-License-Identifier: Apache-2.0
"""What happened in a repository between two commits, without its files.

A copy of its own holds commits and nothing else (``--filter=tree:0``), and of those only as many
as it takes: both commits are fetched with some of their past, and with more of it until the line
from the newer one back to the older one has no gap. That is a few hundred small objects where a
clone would be gigabytes. Of servers that cannot do that the copy is a whole one.

Branches get rebased and commits vanish from servers. The line to a commit that is gone cannot be
drawn, and that is an answer (``gone``), not an error; the line to one that was left behind ends
where the histories part, and says how many commits were left behind.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Protocol

import msgspec

from okd_payload.clock import Clock
from okd_payload.errors import InputError, SourceError
from okd_payload.oci.layout.files import storage_errors
from okd_payload.oci.threads import finish_in_thread
from okd_payload.process import Outcome
from okd_payload.progress import Progress, ignore_progress
from okd_payload.source.git import Git
from okd_payload.source.git_failures import complaint
from okd_payload.source.locking import locked
from okd_payload.source.mirror import EVERYTHING, FETCH, INCAPABLE
from okd_payload.source.mirror_folder import discard, is_whole, prepare, sweep
from okd_payload.source.remote import Remote, parse_remote

_DEPTHS = ("--depth=64", "--depth=512", "--depth=4096", "--unshallow")
"""How much of the past is fetched, until it is enough."""
_COMMIT = re.compile(r"[0-9a-f]{40}")
_NO_TREES = "tree:0"
_LOG_FIELDS = 5
_LOG_FORMAT = "--format=%H%x1f%P%x1f%ct%x1f%s%x1f%b"
_FOLDER_SUFFIX = "-history"


class LoggedCommit(msgspec.Struct, frozen=True, kw_only=True):
    """One commit, as far as people want to read about it."""

    id: str
    parents: tuple[str, ...]
    time: int
    """Committer time, seconds since the epoch."""
    subject: str
    body: str = ""

    @property
    def is_merge(self) -> bool:
        """Whether it brings a branch into another one."""
        return len(self.parents) > 1


class CommitRange(msgspec.Struct, frozen=True, kw_only=True):
    """What one commit has that another one has not, along the main line; newest first."""

    commits: tuple[LoggedCommit, ...] = ()
    left_behind: int = 0
    """Commits that the older one has and the newer one has not: its history was rewritten."""
    gone: str = ""
    """The commit that the server no longer has, if one of the two is gone."""


class History(Protocol):
    """Reads what happened between two commits."""

    async def between(self, location: str, before: str, after: str) -> CommitRange:
        """What ``after`` has that ``before`` has not. Raises SourceError."""
        ...


class GitHistory:
    """Reads histories through copies below ``folder``, one for each repository."""

    def __init__(self, folder: Path, *, clock: Clock, progress: Progress = ignore_progress) -> None:
        self._folder = folder
        self._git = Git(clock, progress=progress)

    async def between(self, location: str, before: str, after: str) -> CommitRange:
        """What ``after`` has that ``before`` has not. Raises SourceError and InputError."""
        remote = parse_remote(location)
        require_commits(before, after)
        path = self._folder / f"{remote.folder_name}{_FOLDER_SUFFIX}"
        async with locked(path.with_name(f"{path.name}.lock")) as lock:
            await finish_in_thread(sweep, path)
            copy = _Copy(path, remote, self._git, lock)
            for commit in (before, after):
                if not await copy.fetch(commit, _DEPTHS[0]):
                    return CommitRange(gone=commit)
            for depth in (*_DEPTHS[1:], ""):
                if not depth or await copy.is_complete(before, after):
                    break
                await copy.deepen(before, after, depth)
            return await copy.read(before, after)


class _Copy:
    """The copy of one repository, locked for us."""

    def __init__(self, path: Path, remote: Remote, git: Git, lock: int) -> None:
        self._path = path
        self._remote = remote
        self._git = git
        self._lock = lock

    async def fetch(self, commit: str, depth: str) -> bool:
        """Have ``commit`` with some of its past; False when the server does not have it."""
        if (self._path / _kept(commit)).is_file():
            return True
        await finish_in_thread(prepare, self._path, self._remote, left_out=_NO_TREES)
        if not is_whole(self._path):
            outcome = await self._attempt(*self._fetching(depth), _keep(commit))
            if outcome.code == 0:
                return True
            if "not our ref" in outcome.errors:
                return False
            if not INCAPABLE.search(outcome.errors):
                raise self._failed(outcome)
            await finish_in_thread(discard, self._path)
            await finish_in_thread(prepare, self._path, self._remote, whole=True)
        await self._ask(*FETCH, "--prune", "origin", *EVERYTHING)
        outcome = await self._attempt("update-ref", _kept(commit), commit)
        return outcome.code == 0

    async def deepen(self, before: str, after: str, depth: str) -> None:
        """Have more of the past of both."""
        await self._ask(*self._fetching(depth), _keep(before), _keep(after))

    async def is_complete(self, before: str, after: str) -> bool:
        """Whether both lines end where they meet, and not where our copy does."""
        ends = self._ends()
        if not ends:
            return True
        for one, other in ((after, before), (before, after)):
            listed = await self._ask("rev-list", "--first-parent", _kept(one), f"^{_kept(other)}")
            if not ends.isdisjoint(listed.output.decode().split()):
                return False
        return True

    async def read(self, before: str, after: str) -> CommitRange:
        """What is in the copy between the two."""
        span = ("--first-parent", _kept(after), f"^{_kept(before)}")
        log = await self._ask(
            *("log", "-z", "--no-show-signature", "--encoding=UTF-8", _LOG_FORMAT, *span)
        )
        behind = await self._ask(
            *("rev-list", "--first-parent", "--count", _kept(before), f"^{_kept(after)}")
        )
        return CommitRange(commits=parse_history(log.output), left_behind=int(behind.output))

    def _ends(self) -> set[str]:
        """The commits whose parents are not in the copy."""
        shallow = self._path / "shallow"
        with storage_errors("read the git cache", shallow):
            return set(shallow.read_text().split()) if shallow.exists() else set()

    def _fetching(self, depth: str) -> tuple[str, ...]:
        return (*FETCH, depth, f"--filter={_NO_TREES}", "origin")

    async def _attempt(self, *arguments: str) -> Outcome:
        return await self._git.ask(
            self._remote,
            *arguments,
            purpose="read the history",
            environment={"GIT_DIR": str(self._path), "GIT_NO_LAZY_FETCH": "1"},
            held=(self._lock,),
        )

    async def _ask(self, *arguments: str) -> Outcome:
        outcome = await self._attempt(*arguments)
        if outcome.code != 0:
            raise self._failed(outcome)
        return outcome

    def _failed(self, outcome: Outcome) -> SourceError:
        return SourceError(
            f"cannot read the history of {self._remote.url}: {complaint(outcome)}",
            hint=f"if this goes on, delete {self._path}: it is only a cache",
        )


def require_commits(*texts: str) -> None:
    """Refuse what is not the full id of a commit: labels of images may say anything."""
    for text in texts:
        if not _COMMIT.fullmatch(text):
            raise InputError(
                f"{text[:60]!r} is not the full id of a commit", hint="it has 40 digits of 0-9a-f"
            )


def parse_history(output: bytes) -> tuple[LoggedCommit, ...]:
    """The commits that ``git log -z`` printed in our format. Raises SourceError."""
    records = [record for record in output.decode(errors="replace").split("\0") if record]
    return tuple(map(_parse_commit, records))


def _parse_commit(record: str) -> LoggedCommit:
    fields = record.split("\x1f", _LOG_FIELDS - 1)
    if len(fields) != _LOG_FIELDS or not fields[2].isdecimal():
        raise SourceError(f"git log printed what is no commit: {record[:80]!r}")
    commit, parents, time, subject, body = fields
    return LoggedCommit(
        id=commit, parents=tuple(parents.split()), time=int(time), subject=subject, body=body
    )


def _kept(commit: str) -> str:
    return f"refs/keep/{commit}"


def _keep(commit: str) -> str:
    return f"+{commit}:{_kept(commit)}"
