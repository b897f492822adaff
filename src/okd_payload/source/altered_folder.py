# SPDX-License-Identifier: Apache-2.0
"""Folders of this machine, altered: the folder itself is never written to.

What changes is kept beside the snapshot and takes the place of its files when they are read or
copied. Patches are applied in a repository of their own, which borrows the history of the folder
where it is a work tree, because a merge needs the content that a patch was made for.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import msgspec

from okd_payload.errors import SourceError
from okd_payload.oci.threads import finish_in_thread
from okd_payload.process import Outcome
from okd_payload.source.alteration import (
    AUTHOR,
    Alteration,
    FileChanges,
    Patches,
    kept_paths,
)
from okd_payload.source.altering import apply_patches, read_changes
from okd_payload.source.commits import date_of
from okd_payload.source.folder import Snapshot
from okd_payload.source.git import Git
from okd_payload.source.git_failures import complaint, hint_for
from okd_payload.source.git_objects import (
    Entry,
    Mode,
    Person,
    blob_id,
    commit_id,
    tree_id,
)
from okd_payload.source.mirror_folder import prepare
from okd_payload.source.model import Commit
from okd_payload.source.patched_paths import named_paths
from okd_payload.source.remote import Remote


async def alter_snapshot(snapshot: Snapshot, alteration: Alteration, git: Git) -> Snapshot:
    """``snapshot`` altered. Raises PatchConflict, and SourceError when it cannot be read."""
    if isinstance(alteration, Patches):
        alteration = await _patch(snapshot, alteration, git)
    return alter_files(snapshot, alteration)


def alter_files(snapshot: Snapshot, changes: FileChanges) -> Snapshot:
    """``snapshot`` with ``changes`` in it."""
    files = {path: snapshot.files[path] for path in kept_paths(snapshot.files, changes)}
    files |= {file.path: Entry(file.mode, blob_id(file.content)) for file in changes.files}
    written = snapshot.written | {file.path: file for file in changes.files}
    return Snapshot(
        root=snapshot.root,
        commit=alter_commit(snapshot.commit, tree_id(files), changes),
        files=files,
        written={path: file for path, file in written.items() if path in files},
    )


def alter_commit(base: Commit, tree: str, changes: FileChanges) -> Commit:
    """The commit on top of ``base`` that has the ``tree`` which ``changes`` gave."""
    time = max(base.time, changes.time)
    identity = commit_id(
        tree=tree,
        parents=[base.id],
        author=Person(AUTHOR, time),
        message=f"{changes.message}\n",
    )
    return msgspec.structs.replace(
        base,
        id=identity,
        tree=tree,
        time=time,
        author=AUTHOR,
        date=date_of(time),
        message=changes.message,
        dirty=True,
    )


async def _patch(snapshot: Snapshot, patches: Patches, git: Git) -> FileChanges:
    """What ``patches`` change in ``snapshot``."""
    history = await _object_folder(snapshot.root, git)
    with tempfile.TemporaryDirectory(prefix="okd-payload-patches-") as folder:
        place = Path(folder) / "repository"
        await finish_in_thread(prepare, place, Remote(url=""), whole=True)
        if history is not None:
            (place / "objects" / "info").mkdir()
            (place / "objects" / "info" / "alternates").write_text(f"{history}\n")
        commands = _Commands(git, place)
        base = await _write_tree(snapshot, patches, commands)
        tree = await apply_patches(commands, place, base, patches)
        return await read_changes(commands, base, tree, message=patches.message)


async def _write_tree(snapshot: Snapshot, patches: Patches, commands: _Commands) -> str:
    """The tree of ``snapshot`` in a repository that has only the contents patches touch."""
    for path in sorted(named_paths(patches.patches) & snapshot.files.keys()):
        content = await finish_in_thread(_content_of, snapshot, path)
        await commands.ask("hash-object", "-w", "--stdin", "--no-filters", stdin=content)
    listing = b"".join(
        f"{entry.mode.value} {entry.id}\t".encode() + os.fsencode(path) + b"\0"
        for path, entry in snapshot.files.items()
    )
    index = {"GIT_INDEX_FILE": str(commands.place / "index-base")}
    await commands.ask("update-index", "-z", "--index-info", environment=index, stdin=listing)
    written = await commands.ask("write-tree", "--missing-ok", environment=index)
    return written.output.decode().strip()


def _content_of(snapshot: Snapshot, path: str) -> bytes:
    if snapshot.files[path].mode is Mode.LINK:
        return os.fsencode(snapshot.read_link(path))
    return snapshot.read_file(path) or b""


async def _object_folder(root: Path, git: Git) -> Path | None:
    """Where the work tree ``root`` has its history, None when it is none."""
    if not (root / ".git").exists():
        return None
    ceiling = {"GIT_CEILING_DIRECTORIES": str(root.parent)}
    found = await git.run("rev-parse", "--git-common-dir", directory=root, environment=ceiling)
    return (root / found.output.decode().strip() / "objects").resolve() if not found.code else None


class _Commands(msgspec.Struct, frozen=True):
    """Commands on the repository at ``place``, of this machine alone."""

    git: Git
    place: Path

    async def attempt(
        self,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
    ) -> Outcome:
        """Run a command that may fail."""
        variables = {"GIT_DIR": str(self.place), **(environment or {})}
        return await self.git.run(*arguments, environment=variables, stdin=stdin)

    async def ask(
        self,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
    ) -> Outcome:
        """Run a command that only a broken machine fails at."""
        outcome = await self.attempt(*arguments, environment=environment, stdin=stdin)
        if outcome.code != 0:
            raise SourceError(
                f"git {arguments[0]} failed: {complaint(outcome)}", hint=hint_for(outcome)
            )
        return outcome
