# SPDX-License-Identifier: Apache-2.0
"""A repository of people's own with one commit checked out: for reading, searching, building.

Unlike ``Sources.check_out``, which gives bare content to builds, this leaves a work tree that
``git`` knows. It is shallow where the server lets it be, and ``git fetch --unshallow`` makes it
whole. A folder gets its name when the checkout is complete; one that is there already is moved
to the commit, unless it has changes of somebody, which nothing here touches.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from okd_payload.clock import Clock
from okd_payload.errors import InputError, SourceError
from okd_payload.oci.layout.files import storage_errors
from okd_payload.oci.threads import finish_in_thread
from okd_payload.process import Outcome
from okd_payload.progress import Progress, ignore_progress
from okd_payload.source.git import Git
from okd_payload.source.git_failures import complaint, hint_for
from okd_payload.source.mirror import INCAPABLE
from okd_payload.source.references import is_commit
from okd_payload.source.remote import Remote, parse_remote

_FETCH = ("fetch", "--quiet", "--no-write-fetch-head")
_EVERYTHING = ("+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*")
_HOOKS = "core.hooksPath=/dev/null"


class Clones:
    """Makes clones, several at a time."""

    def __init__(self, *, clock: Clock, progress: Progress = ignore_progress) -> None:
        self._git = Git(clock, progress=progress)

    async def check_out(self, url: str, commit: str, folder: Path) -> None:
        """Make ``folder`` a clone of ``url`` with ``commit`` checked out. Raises SourceError."""
        remote = _remote(url)
        if not is_commit(commit):
            raise SourceError(
                f"{commit!r} is no commit of {remote.url}", hint="40 digits are needed"
            )
        if _is_occupied(folder):
            await self._move(remote, commit, folder)
            return
        fresh = _make_beside(folder)
        try:
            await self._fill(remote, commit, fresh)
            _give_name(fresh, folder)
        finally:
            await finish_in_thread(shutil.rmtree, fresh, ignore_errors=True)

    async def _fill(self, remote: Remote, commit: str, folder: Path) -> None:
        await self._do(remote, folder, "init", "--quiet", "--template=")
        await self._do(remote, folder, "remote", "add", "origin", remote.url)
        await self._fetch(remote, commit, folder)
        await self._do(remote, folder, "checkout", "--quiet", "--detach", commit)

    async def _move(self, remote: Remote, commit: str, folder: Path) -> None:
        found = await self._ask(remote, folder, "rev-parse", "--show-cdup")
        if found.code != 0 or found.output.strip():
            raise SourceError(
                f"{folder} is there already, and is no git repository",
                hint="remove it, or choose another folder with --git",
            )
        changed = await self._ask(remote, folder, "status", "--porcelain")
        if changed.code != 0 or changed.output:
            raise SourceError(
                f"{folder} has changes that are not committed", hint="commit or remove them"
            )
        if not await self._holds(remote, commit, folder):
            await self._fetch(remote, commit, folder)
        await self._do(remote, folder, "checkout", "--quiet", "--detach", commit)

    async def _fetch(self, remote: Remote, commit: str, folder: Path) -> None:
        """Fetch ``commit``: alone if the server lets us, else with all that it has."""
        outcome = await self._ask(
            remote, folder, *_FETCH, "--no-tags", "--depth=1", "--", remote.url, commit
        )
        if outcome.code == 0:
            return
        if INCAPABLE.search(outcome.errors):
            await self._do(remote, folder, *_FETCH, "--", remote.url, *_EVERYTHING)
            if await self._holds(remote, commit, folder):
                return
        elif "not our ref" not in outcome.errors:
            raise _failed(remote, outcome)
        raise SourceError(
            f"{remote.url} has no commit {commit}",
            hint="its history may have been rewritten, or the repository is a private one",
        )

    async def _holds(self, remote: Remote, commit: str, folder: Path) -> bool:
        outcome = await self._ask(remote, folder, "cat-file", "-e", f"{commit}^{{commit}}")
        return outcome.code == 0

    async def _do(self, remote: Remote, folder: Path, *arguments: str) -> None:
        outcome = await self._ask(remote, folder, *arguments)
        if outcome.code != 0:
            raise _failed(remote, outcome)

    async def _ask(self, remote: Remote, folder: Path, *arguments: str) -> Outcome:
        # The configuration of a clone that was there before is not ours.
        command = ("-C", str(folder), "-c", _HOOKS, *arguments)
        return await self._git.ask(remote, *command, purpose="check out a commit")


def _is_occupied(folder: Path) -> bool:
    with storage_errors("read", folder):
        return folder.is_dir() and any(folder.iterdir())


def _make_beside(folder: Path) -> Path:
    with storage_errors("write the clone", folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=".okd-payload-", dir=folder.parent))


def _give_name(fresh: Path, folder: Path) -> None:
    with storage_errors("write the clone", folder):
        fresh.chmod(0o755)
        fresh.rename(folder)


def _remote(url: str) -> Remote:
    try:
        return parse_remote(url)
    except InputError as error:
        raise SourceError(error.message, hint=error.hint) from error


def _failed(remote: Remote, outcome: Outcome) -> SourceError:
    return SourceError(
        f"cannot check out a commit of {remote.url}: {complaint(outcome)}", hint=hint_for(outcome)
    )
