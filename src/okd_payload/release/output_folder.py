# SPDX-License-Identifier: Apache-2.0
"""Writing files into a folder so that a name there always means a complete file.

Everything is made under other names in a folder inside the target, and gets its own name by
being moved when all of it is complete; what a kill leaves there, the next run removes. Names
come from images: none of them leads out of the
target, not by its text and not through links that are in the target already.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from okd_payload.errors import StorageError
from okd_payload.oci.layers.destination import Destination
from okd_payload.oci.layers.entry import rooted_path
from okd_payload.scratch import private_folder

FILE_MODE, PROGRAM_MODE = 0o644, 0o755
_STAGING = ".okd-payload"
_LATEST = 2**63 - 1


class NewFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is to be written."""

    name: str
    """Its path below the target folder."""
    content: bytes
    mtime_ns: int


class ExtractedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was written."""

    name: str
    path: str
    size: int
    sha256: str


class TargetFolder:
    """A folder that gets files; as a context it removes those that did not get their names.

    Blocking. Every method raises StorageError when the folder cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        """Make the folder where it is missing."""
        self._folder = folder
        self._prefix = "" if folder == Path() else f"{folder}/"
        self._pending: list[tuple[str, str]] = []
        self._number = 0
        self._stack = contextlib.ExitStack()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._staging = self._stack.enter_context(private_folder(folder / _STAGING))
        except OSError as error:
            raise cannot_write(folder, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def new_path(self) -> Path:
        """A path that nobody uses, for a file that will get its name later."""
        return Path(self._new_path())

    def add(self, file: NewFile) -> ExtractedFile:
        """Write ``file``, which gets its name when ``finish`` is called."""
        path = self._new_path()
        try:
            _write(path, file)
        except OSError as error:
            raise cannot_write(self._folder / file.name, error) from error
        self._pending.append((path, rooted_path(file.name)))
        return ExtractedFile(
            name=file.name,
            path=self._prefix + file.name,
            size=len(file.content),
            sha256=hashlib.sha256(file.content).hexdigest(),
        )

    def adopt(
        self, path: Path, name: str, *, mtime_ns: int, sha256: str, mode: int = FILE_MODE
    ) -> ExtractedFile:
        """Take the complete file at ``path``, from ``new_path``, as ``name``."""
        try:
            path.chmod(mode)
            os.utime(path, ns=_times(mtime_ns))
            size = path.stat().st_size
        except OSError as error:
            raise cannot_write(self._folder / name, error) from error
        self._pending.append((str(path), rooted_path(name)))
        return ExtractedFile(name=name, path=self._prefix + name, size=size, sha256=sha256)

    def finish(self) -> None:
        """Give all files that were added their names. Raises UnsafeEntry, too."""
        pending, self._pending = self._pending, []
        with Destination(self._folder, ".") as destination:
            for path, name in pending:
                try:
                    destination.move_file(name, path)
                except OSError as error:
                    raise cannot_write(self._folder / name, error) from error

    def _new_path(self) -> str:
        self._number += 1
        return f"{self._staging}/{self._number}"


def write_files(files: Iterable[NewFile], folder: Path) -> list[ExtractedFile]:
    """Write ``files`` into ``folder``: all of them, or none. Raises StorageError, UnsafeEntry."""
    with TargetFolder(folder) as target:
        written = [target.add(file) for file in files]
        target.finish()
    return written


def cannot_write(path: Path, error: OSError) -> StorageError:
    """The error that writing to ``path`` failed."""
    return StorageError(
        f"cannot write {path}: {error.strerror or error}",
        hint="make room there, or choose another folder",
    )


def _write(path: str, file: NewFile) -> None:
    """Write a new file with as few calls as that takes: payloads have more than a thousand."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
    try:
        left = memoryview(file.content)
        while left:
            left = left[os.write(descriptor, left) :]
        os.utime(descriptor, ns=_times(file.mtime_ns))
    finally:
        os.close(descriptor)


def _times(mtime_ns: int) -> tuple[int, int]:
    """Both times of a file, within what file systems hold."""
    stamp = max(0, min(mtime_ns, _LATEST))
    return stamp, stamp
