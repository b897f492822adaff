# SPDX-License-Identifier: Apache-2.0
"""The folder that buildah works in: ours alone, and clean again after every kill.

    lock              shared by whoever uses the storage, exclusive for emptying it
    parents/          images that builds stand on, imported once: a cache
    workspaces/       one folder for each running build, with a storage of its own

A build writes to its workspace only and reads the parents as an *additional image store*. So
builds do not wait for each other, and cleaning up after one is removing one folder, whichever
way it ended. The kernel says who is alive: a workspace's lock is held by the build and by every
process it started, and whoever comes next removes the workspaces whose lock is free.

The folder of the user's own containers (podman's, buildah's) is never touched.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from okd_payload import process
from okd_payload.engines.buildah.limits import remove_groups
from okd_payload.errors import StorageError
from okd_payload.oci.layout.files import locked, storage_errors, try_lock
from okd_payload.oci.threads import finish_in_thread

_UNFIT = re.compile(r'[:,"\\\x00-\x1f]')
"""What separates or quotes paths in the options of buildah and of overlay mounts."""


class Workspace:
    """The folder of one running build, and the open lock that says it is alive."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self.lock = lock
        self.source = path / "source"
        """The checkout."""
        self.dockerfile = path / "Dockerfile"
        self.output = path / "output"
        """An image layout that buildah writes the result to."""
        self.home = path / "home"
        """Stands in for the user's configuration and caches."""
        self.temporary = path / "tmp"
        self.root = path / "root"
        self.run_root = path / "run"


class Storage:
    """The storage in one folder, shared by any number of processes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.parents = path / "parents"
        self._lock = path / "lock"
        self._workspaces = path / "workspaces"
        self._workspaces_lock = path / "workspaces.lock"

    @contextlib.asynccontextmanager
    async def workspace(self, *, program: str) -> AsyncIterator[Workspace]:
        """A new workspace, removed at the end. Removes what dead builds left, too.

        Raises StorageError.
        """
        if unfit := _UNFIT.search(str(self.path)):
            raise StorageError(
                f"buildah cannot work in {self.path}: its name has a {unfit[0]!r}",
                hint="choose another folder with --state",
            )
        with storage_errors("use", self.path):
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._workspaces.mkdir(exist_ok=True)
            self.parents.mkdir(exist_ok=True)
        with contextlib.ExitStack() as stack:
            await finish_in_thread(stack.enter_context, self._in_use())
            dead, workspace = await finish_in_thread(self._enter)
            stack.callback(os.close, workspace.lock)
            for path in dead:
                remove_groups(path.name)
                await remove_tree(path, program=program)
            try:
                yield workspace
            finally:
                await remove_tree(workspace.path, program=program)

    async def prune(self, *, program: str) -> bool:
        """Empty the storage; False when some build is using it."""
        if not self.path.is_dir():
            return True
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if not try_lock(descriptor):
                return False
            for path in (self._workspaces, self.parents):
                await remove_tree(path, program=program)
        finally:
            os.close(descriptor)
        return True

    @contextlib.contextmanager
    def _in_use(self) -> Iterator[None]:
        with storage_errors("lock", self._lock), locked(self._lock, shared=True):
            yield

    def _enter(self) -> tuple[list[Path], Workspace]:
        """The workspaces of the dead, out of everybody's way, and a new one. Blocks."""
        with storage_errors("use", self._workspaces), locked(self._workspaces_lock):
            dead = [path for path in sorted(self._workspaces.iterdir()) if self._disown(path)]
            path = self._workspaces / secrets.token_hex(6)
            path.mkdir(mode=0o700)
            lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try_lock(lock)
        workspace = Workspace(path, lock)
        for folder in (workspace.source, workspace.home, workspace.temporary):
            folder.mkdir(mode=0o700)
        return dead, workspace

    def _disown(self, path: Path) -> bool:
        """Whether nobody is at work in ``path``."""
        try:
            lock = os.open(path / "lock", os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return True
        try:
            return try_lock(lock)
        finally:
            os.close(lock)


async def remove_tree(path: Path, *, program: str) -> None:
    """Remove ``path`` and all below it, also what belongs to subordinate users.

    An ordinary user's builds leave files of other user ids behind, which only the user
    namespace that buildah makes can remove. Raises StorageError.
    """
    if await finish_in_thread(_remove_own, path):
        return
    outcome = await process.run([program, "unshare", "rm", "-rf", "--one-file-system", path])
    if not await finish_in_thread(_remove_own, path):
        raise StorageError(
            f"cannot remove {path}: {outcome.errors.strip()[-300:]}",
            hint=f"remove it with `{program} unshare rm -rf {path}`",
        )


def _remove_own(path: Path) -> bool:
    shutil.rmtree(path, ignore_errors=True)
    return not path.exists()
