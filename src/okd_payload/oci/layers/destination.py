# SPDX-License-Identifier: Apache-2.0
"""A folder of this machine that files of an image are put into, and nothing above it.

Every step is relative to an open folder and never goes through a link, so neither the names of
an image nor links that are in the folder already can lead anywhere else.
"""

from __future__ import annotations

import contextlib
import errno
import os
import posixpath
from pathlib import Path
from types import TracebackType
from typing import Self

from okd_payload.errors import UnsafeEntry
from okd_payload.oci.layers.entry import rooted_path

_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_LATEST_NS = 2**63 - 1


class Destination:
    """The folder ``folder`` below ``root``; only ``root`` itself is trusted."""

    def __init__(self, root: Path, folder: str) -> None:
        """Make the folder where it is missing. Raises UnsafeEntry and OSError."""
        self._top = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._path = ""
        self._folder = os.dup(self._top)
        try:
            self._base = rooted_path(folder)
            self._enter("")
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the folders."""
        os.close(self._folder)
        os.close(self._top)

    def make_folder(self, path: str, *, mode: int) -> None:
        """Make the folder ``path``, or take the one that is there."""
        name = posixpath.basename(path)
        parent = self._enter(posixpath.dirname(path))
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, dir_fd=parent)
            os.chmod(name, mode & 0o777 | 0o700, dir_fd=parent)
        self._enter(path)

    def place_file(self, path: str, file: Path, *, mode: int, mtime_ns: int) -> None:
        """Make ``path`` another name of ``file``, in place of whatever file was there."""
        file.chmod(mode & 0o777 | 0o400)
        stamp = max(0, min(mtime_ns, _LATEST_NS))
        os.utime(file, ns=(stamp, stamp))
        name, parent = self._clear(path)
        os.link(file, name, dst_dir_fd=parent, follow_symlinks=False)

    def move_file(self, path: str, file: Path | str) -> None:
        """Move ``file``, complete and of the same file system, to ``path`` in one step."""
        name, parent = posixpath.basename(path), self._enter(posixpath.dirname(path))
        os.replace(file, name, dst_dir_fd=parent)

    def place_link(self, path: str, target: str) -> None:
        """Make ``path`` a symbolic link with the text ``target``."""
        name, parent = self._clear(path)
        os.symlink(target, name, dir_fd=parent)

    def _clear(self, path: str) -> tuple[str, int]:
        """The name and open folder of ``path``, with nothing there any more."""
        name, parent = posixpath.basename(path), self._enter(posixpath.dirname(path))
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=parent)
        return name, parent

    def _enter(self, path: str) -> int:
        """The folder ``path`` below the destination, open until the next one is entered."""
        wanted = posixpath.join(self._base, path)
        if wanted != self._path:
            folder = os.dup(self._top)
            for part in filter(None, wanted.split("/")):
                try:
                    inner = _open_folder(part, parent=folder, path=wanted)
                finally:
                    os.close(folder)
                folder = inner
            os.close(self._folder)
            self._folder, self._path = folder, wanted
        return self._folder


def _open_folder(name: str, *, parent: int, path: str) -> int:
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, dir_fd=parent)
    try:
        return os.open(name, _FOLDER_FLAGS, dir_fd=parent)
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENOTDIR):
            raise
        raise UnsafeEntry(
            f"cannot put files of an image into {path!r}: {name!r} is a link or a file there",
            hint="remove it, or choose another destination folder",
        ) from error
