# SPDX-License-Identifier: Apache-2.0
"""The content of folders: listed, hashed, copied and settled.

Everything follows git's idea of content: files, whether they are executable, links as links.
Owners, other permissions, times and empty folders are no content. What is neither file, folder
nor link is refused, and so are folders that are surely no sources, by their size.

All of this blocks; callers run it in a thread.
"""
# ruff: noqa: PTH101, PTH115, PTH123 - sources have 30 000 files, and a Path for each takes seconds

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from okd_payload.errors import SourceError, StorageError
from okd_payload.source.alteration import NewFile
from okd_payload.source.git_objects import BlobHash, Entry, Mode, blob_id

MOST_FILES = 500_000
"""Kubernetes with everything vendored has 30 000."""
_CHUNK_BYTES = 1024 * 1024
_TRY_AGAIN = "run the same command again when nothing writes to the folder"


def list_files(root: Path, *, most: int = MOST_FILES) -> list[str]:
    """The paths of all files and links below ``root``; everything named ``.git`` is left out.

    Raises SourceError when there are more than ``most``.
    """
    found = []
    with _reading(root):
        for path, entry in _walk(root, left_out=".git"):
            if not entry.is_dir(follow_symlinks=False):
                found.append(path)
                if len(found) > most:
                    raise SourceError(
                        f"{root} has more than {most} files",
                        hint="is this the folder of one component's source?",
                    )
    return found


def hash_files(root: Path, paths: Iterable[str]) -> dict[str, Entry]:
    """What git would store for each of ``paths`` below ``root``."""
    with _reading(root):
        return {path: _entry(f"{root}/{path}") for path in paths}


def copy_files(root: Path, paths: Iterable[str], directory: Path) -> None:
    """Copy files and links below ``root`` to the same paths below ``directory``."""
    made = set()
    with _reading(root, writing=directory):
        for path in paths:
            source, target = f"{root}/{path}", f"{directory}/{path}"
            folder = path.rpartition("/")[0]
            if folder not in made:
                (directory / folder).mkdir(parents=True, exist_ok=True)
                made.add(folder)
            shutil.copyfile(source, target, follow_symlinks=False)
            mode = os.lstat(source).st_mode
            if stat.S_ISREG(mode) and mode & stat.S_IXUSR:
                os.chmod(target, mode)


def write_files(files: Iterable[NewFile], directory: Path) -> None:
    """Write ``files`` below ``directory``."""
    with _reading(directory, writing=directory):
        for file in files:
            target = directory / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            if file.mode is Mode.LINK:
                target.symlink_to(os.fsdecode(file.content))
            else:
                target.write_bytes(file.content)
                target.chmod(0o755 if file.mode is Mode.EXECUTABLE else 0o644)


def settle(directory: Path, *, time: int) -> dict[str, Entry]:
    """Give everything in ``directory`` plain permissions and the ``time``; what is there."""
    found = {}
    folders = [str(directory)]
    with _reading(directory, writing=directory):
        for path, item in _walk(directory):
            if item.is_dir(follow_symlinks=False):
                folders.append(item.path)
                continue
            found[path] = entry = _entry(item.path)
            if entry.mode is not Mode.LINK:
                _permit(item.path, 0o755 if entry.mode is Mode.EXECUTABLE else 0o644)
            os.utime(item.path, (time, time), follow_symlinks=False)
        for folder in folders:
            _permit(folder, 0o755)
            os.utime(folder, (time, time))
    return found


def clear(directory: Path) -> None:
    """Make ``directory`` an empty folder, whatever is there."""
    with _reading(directory, writing=directory):
        directory.mkdir(parents=True, exist_ok=True)
        for item in directory.iterdir():
            if item.is_dir() and not item.is_symlink():
                shutil.rmtree(item)
            else:
                item.unlink()


def changed_during_run(root: Path, path: str) -> SourceError:
    """The error for a file that is no longer what it was when its folder was resolved."""
    return SourceError(f"{path} in {root} has changed since the run began", hint=_TRY_AGAIN)


def _walk(root: Path, *, left_out: str = "") -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Everything below ``root`` with its path relative to it, but nothing named ``left_out``."""
    open_folders = [""]
    while open_folders:
        folder = open_folders.pop()
        with os.scandir(f"{root}/{folder}") as entries:
            for entry in entries:
                if entry.name != left_out:
                    path = f"{folder}{entry.name}"
                    yield path, entry
                    if entry.is_dir(follow_symlinks=False):
                        open_folders.append(f"{path}/")


def _entry(path: str) -> Entry:
    mode = os.lstat(path).st_mode
    if stat.S_ISLNK(mode):
        return Entry(Mode.LINK, blob_id(os.fsencode(os.readlink(path))))
    if not stat.S_ISREG(mode):
        raise SourceError(
            f"{path} is neither a file, a folder nor a link",
            hint="remove sockets, pipes and devices from the folder",
        )
    # What takes the place of the file now, a link or a pipe, is neither followed nor waited for.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb", buffering=0) as file:
        hashed = BlobHash(os.fstat(descriptor).st_size)
        while chunk := file.read(_CHUNK_BYTES):
            hashed.update(chunk)
    return Entry(Mode.EXECUTABLE if mode & stat.S_IXUSR else Mode.FILE, hashed.id())


def _permit(path: str, mode: int) -> None:
    if stat.S_IMODE(os.lstat(path).st_mode) != mode:
        os.chmod(path, mode)


@contextlib.contextmanager
def _reading(root: Path, *, writing: Path | None = None) -> Iterator[None]:
    """Tell errors of the source at ``root`` from those of the folder that is written."""
    try:
        yield
    except OSError as error:
        place = Path(str(error.filename or root))
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        if full or (writing is not None and place.is_relative_to(writing)):
            raise StorageError(
                f"cannot write {writing or place}: {error.strerror}",
                hint="is the disk full, or the folder not ours?",
            ) from error
        if isinstance(error, FileNotFoundError):
            raise SourceError(f"{place} vanished while it was read", hint=_TRY_AGAIN) from error
        raise SourceError(
            f"cannot read {place}: {error.strerror or error}",
            hint="a source is a folder in which everything is readable",
        ) from error
