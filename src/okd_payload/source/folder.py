# SPDX-License-Identifier: Apache-2.0
"""A folder of this machine as a source, with the identity that git would give its content.

*Plain* content, which is any folder that is not the top of a git work tree, becomes a commit
without parents by a fixed author at a fixed time, so equal content is an equal commit on every
machine and for every user. In the *top of a work tree* content means what git would commit now:
tracked files as they are, and untracked ones that are not ignored. If that is what HEAD holds,
the commit is HEAD; if not, it is one on top of HEAD, with HEAD's time, and marked dirty.

Files are taken as they are, without the filters and line ends that attributes ask for, so a
checkout that such a filter has changed (git LFS) is dirty. Submodules and other repositories
within are refused: what of them would be built is not in the commit.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import msgspec

from okd_payload.errors import SourceError
from okd_payload.oci.threads import finish_in_thread
from okd_payload.process import KEPT_BYTES, Outcome
from okd_payload.source.alteration import NewFile
from okd_payload.source.commits import LOG_FORMAT, date_of, parse_log
from okd_payload.source.content import (
    changed_during_run,
    copy_files,
    hash_files,
    list_files,
    settle,
    write_files,
)
from okd_payload.source.git import Git
from okd_payload.source.git_failures import complaint, hint_for
from okd_payload.source.git_objects import Entry, Person, blob_id, commit_id, tree_id
from okd_payload.source.model import Commit
from okd_payload.source.paths import find_file, too_large
from okd_payload.source.remote import location_of

SNAPSHOT_TIME = 315_532_800
"""1980-01-01, the earliest time that zip files and what is made of them can hold."""
_AUTHOR = "okd-payload snapshot <snapshot@okd-payload.invalid>"
_STAGED = re.compile(r"([0-7]{6}) [0-9a-f]{40} [0-3]\t(.*)", re.DOTALL)
_GITLINK = "160000"


class Snapshot(msgspec.Struct, frozen=True):
    """What a folder held when it was looked at."""

    root: Path
    commit: Commit
    files: dict[str, Entry]
    written: dict[str, NewFile] = {}
    """Files of an altered folder that are not as they are in ``root``, or not there."""

    def read_file(self, path: str) -> bytes | None:
        """The content of the file at ``path``, links followed; None when there is none.

        Blocks. Raises SourceError when it is not the content of the snapshot any more.
        """
        try:
            name = find_file(self.files, path, read_link=self.read_link)
            if name is None:
                return None
            if name in self.written:
                return self.written[name].content
            if (self.root / name).stat().st_size > KEPT_BYTES:
                raise too_large(str(self.root / name))
            content = (self.root / name).read_bytes()
        except OSError as error:
            raise changed_during_run(self.root, path) from error
        if blob_id(content) != self.files[name].id:
            raise changed_during_run(self.root, path)
        return content

    def read_link(self, path: str) -> str:
        """The target of the link at ``path``. Blocks."""
        if path in self.written:
            return os.fsdecode(self.written[path].content)
        return str((self.root / path).readlink())

    def copy_to(self, directory: Path) -> None:
        """Fill the empty ``directory`` with exactly this content. Blocks."""
        copy_files(self.root, [path for path in self.files if path not in self.written], directory)
        write_files(self.written.values(), directory)
        found = settle(directory, time=self.commit.time)
        for path, entry in self.files.items():
            if found.get(path) != entry:
                raise changed_during_run(self.root, path)


async def take_snapshot(root: Path, git: Git) -> Snapshot:
    """Look at the folder ``root`` now. Raises SourceError when it cannot be read."""
    if await finish_in_thread(_is_work_tree, root):
        return await _work_tree(root, git)
    paths = await finish_in_thread(list_files, root)
    files = await finish_in_thread(hash_files, root, paths)
    return Snapshot(root, _synthetic(tree_id(files)), files)


def _is_work_tree(root: Path) -> bool:
    """Whether ``root`` is the top of a git work tree; raises SourceError for no folder."""
    try:
        if root.is_dir():
            return (root / ".git").exists()
        problem = "there is no such folder"
    except (OSError, ValueError) as error:  # not ours, too long, or with a NUL
        problem = str(error)
    raise SourceError(
        f"cannot read {root}: {problem}", hint="a source is a folder or a git URL: check the path"
    )


async def _work_tree(root: Path, git: Git) -> Snapshot:
    listing = await _in(
        root, git, "ls-files", "--stage", "--cached", "--others", "--exclude-standard", "-z"
    )
    head = await _head(root, git)
    origin = await _origin(root, git)
    paths = await finish_in_thread(_present_files, root, listing)
    files = await finish_in_thread(hash_files, root, paths)
    tree = tree_id(files)
    if head is not None and tree == head.tree:
        return Snapshot(root, msgspec.structs.replace(head, location=origin), files)
    commit = _synthetic(tree, location=origin, parent=head, dirty=True)
    return Snapshot(root, commit, files)


def _synthetic(
    tree: str, *, location: str = "", parent: Commit | None = None, dirty: bool = False
) -> Commit:
    time = parent.time if parent else SNAPSHOT_TIME
    message = f"Uncommitted changes on {parent.id[:12]}" if parent else "Content of a folder"
    identity = commit_id(
        tree=tree,
        parents=[parent.id] if parent else [],
        author=Person(_AUTHOR, time),
        message=f"{message}\n",
    )
    return Commit(
        id=identity,
        tree=tree,
        time=time,
        location=location,
        author=_AUTHOR,
        date=date_of(time),
        message=message,
        dirty=dirty,
    )


def _present_files(root: Path, listing: bytes) -> list[str]:
    """The files and links of ``git ls-files --stage --others -z`` that are really there."""
    found: dict[str, None] = {}
    real_folders: dict[str, bool] = {"": True}
    for item in os.fsdecode(listing).split("\0"):
        staged = _STAGED.fullmatch(item)
        mode, path = staged.groups() if staged else ("", item)
        if mode == _GITLINK or path.endswith("/"):
            raise SourceError(
                f"{root} holds another git repository: {path.rstrip('/')}",
                hint="submodules are not supported: ignore it, or build from a copy of the "
                "folder that has no .git folders",
            )
        if path and path not in found and _is_file(root, path, real_folders):
            found[path] = None
    return list(found)


def _is_file(root: Path, path: str, real_folders: dict[str, bool]) -> bool:
    """Whether a file or link is at ``path`` itself, not at the end of a link in between."""
    try:
        mode = os.lstat(root / path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return False
    return not stat.S_ISDIR(mode) and _is_real(root, path.rpartition("/")[0], real_folders)


def _is_real(root: Path, folder: str, known: dict[str, bool]) -> bool:
    if folder not in known:
        above = folder.rpartition("/")[0]
        known[folder] = _is_real(root, above, known) and not (root / folder).is_symlink()
    return known[folder]


async def _head(root: Path, git: Git) -> Commit | None:
    """HEAD, None before the first commit."""
    outcome = await _git(root, git, "log", "-1", *LOG_FORMAT)
    if "does not have any commits yet" in outcome.errors:
        return None
    return parse_log(_sound(root, outcome), location="")


async def _origin(root: Path, git: Git) -> str:
    outcome = await _git(root, git, "config", "--get", "remote.origin.url")
    return location_of(outcome.output.decode(errors="replace").strip())


async def _in(root: Path, git: Git, *arguments: str) -> bytes:
    return _sound(root, await _git(root, git, *arguments))


def _sound(root: Path, outcome: Outcome) -> bytes:
    if outcome.code != 0 or outcome.truncated:
        raise SourceError(f"cannot read {root}: {complaint(outcome)}", hint=hint_for(outcome))
    return outcome.output


async def _git(root: Path, git: Git, *arguments: str) -> Outcome:
    # The ceiling keeps a damaged .git from being passed over for a repository further up.
    ceiling = {"GIT_CEILING_DIRECTORIES": str(root.parent)}
    return await git.run(*arguments, directory=root, environment=ceiling)
