# SPDX-License-Identifier: Apache-2.0
"""Root file systems of images, unpacked once and kept by digest.

Everything of a layer becomes a file as a container runtime makes it: owners, modes with
set-user-id bits, extended attributes (by which ``newuidmap`` has its capability), links,
devices. That takes root, and the images must be trusted no less than any that root runs: this
is for tests, and names only are checked, so that nothing lands outside the folder.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import IO, Protocol

import msgspec

from okd_payload.errors import UnsafeEntry
from okd_payload.oci.config import ContainerConfig
from okd_payload.oci.image import Image, read_image
from okd_payload.oci.layers.entry import Entry, EntryKind, rooted_path, whiteout_of
from okd_payload.oci.layers.scan import scan_layer
from okd_payload.oci.layout.files import locked
from okd_payload.oci.reference import Reference, parse_reference
from okd_payload.oci.repository import Repository
from okd_payload.oci.threads import finish_in_thread

OpenRepository = Callable[[Reference], Awaitable[Repository]]
"""Gives the repository that a pull spec names."""

_DEVICES = {EntryKind.CHARACTER_DEVICE: 0o020000, EntryKind.BLOCK_DEVICE: 0o060000}


class ImageRoot(msgspec.Struct, frozen=True):
    """The root file system of an image, not to be changed, and what the image says."""

    folder: Path
    config: ContainerConfig


class Images(Protocol):
    """Where the files of images come from."""

    async def bring(self, pull_spec: str) -> ImageRoot:
        """The root of the image ``pull_spec``. Raises RegistryError and ContentError."""
        ...


class ImageRoots:
    """Root file systems below one folder, for any number of processes."""

    def __init__(self, folder: Path, open_repository: OpenRepository) -> None:
        self._folder = folder
        self._open_repository = open_repository

    async def bring(self, pull_spec: str) -> ImageRoot:
        """The root of the image ``pull_spec``. Raises RegistryError and ContentError."""
        reference = parse_reference(pull_spec)
        repository = await self._open_repository(reference)
        image = await read_image(repository, reference.digest or reference.tag or "latest")
        folder = self._folder / image.digest.partition(":")[2]
        await self._unpack(repository, image, folder)
        return ImageRoot(folder, image.config.config)

    async def _unpack(self, repository: Repository, image: Image, folder: Path) -> None:
        """Fill ``folder`` unless it is there; one process at a time."""
        with contextlib.ExitStack() as stack:
            new = await finish_in_thread(_begin, folder, stack)
            if new is None:
                return
            for layer in image.layers:
                visitor = _Unpacker(new)
                await scan_layer(repository.blobs, layer, visitor)
                visitor.finish()
            new.rename(folder)


def _begin(folder: Path, stack: contextlib.ExitStack) -> Path | None:
    """The folder to unpack into, alone; None when ``folder`` is complete. Blocks."""
    if folder.is_dir():
        return None
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    stack.enter_context(locked(folder.with_suffix(".lock")))
    if folder.is_dir():
        return None
    new = folder.with_suffix(".new")
    shutil.rmtree(new, ignore_errors=True)  # of somebody who was killed
    new.mkdir(mode=0o755)
    return new


class _Unpacker:
    """Makes the entries of one layer below a folder."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._own: set[str] = set()
        self._folders: list[tuple[Path, Entry]] = []
        self._file: IO[bytes] | None = None
        self._entry = Entry(name="")

    def enter(self, entry: Entry) -> bool:
        path = rooted_path(entry.name)
        whiteout = whiteout_of(path)
        if whiteout is not None:
            self._hide(whiteout.path, opaque=whiteout.opaque)
            return False
        self._own.add(path)
        target = self._place(path)
        if entry.kind is EntryKind.DIRECTORY:
            if not target.is_dir() or target.is_symlink():
                _remove(target)
                target.mkdir()
            self._folders.append((target, entry))
            return False
        _remove(target)
        self._entry = entry
        if entry.kind is EntryKind.FILE:
            self._file = target.open("xb")
            return True
        if entry.kind is EntryKind.HARD_LINK:
            os.link(self._place(rooted_path(entry.link)), target, follow_symlinks=False)
            return False
        if entry.kind is EntryKind.SYMBOLIC_LINK:
            target.symlink_to(entry.link)
        elif entry.kind is EntryKind.FIFO:
            os.mkfifo(target)
        else:
            os.mknod(target, _DEVICES[entry.kind] | 0o600, os.makedev(*entry.device))
        _dress(target, entry)
        return False

    def take(self, content: memoryview) -> None:
        if self._file is not None:
            self._file.write(content)

    def leave(self) -> None:
        if self._file is not None:
            self._file.close()
            _dress(Path(self._file.name), self._entry)
            self._file = None

    def finish(self) -> None:
        """Give folders their times last, after what was made in them."""
        for target, entry in reversed(self._folders):
            _dress(target, entry)

    def _place(self, path: str) -> Path:
        """The place of ``path``, whose folders must be folders: no link leads out."""
        target = self._root / path
        folder = target.parent
        if not folder.is_dir():
            folder.mkdir(parents=True)
        if path and not folder.resolve().is_relative_to(self._root):
            raise UnsafeEntry(f"the layer writes to {path!r} through a link that leads out")
        return target

    def _hide(self, path: str, *, opaque: bool) -> None:
        target = self._place(path)
        if not opaque:
            _remove(target)
            return
        for member in target.iterdir():
            if member.relative_to(self._root).as_posix() not in self._own:
                _remove(member)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _dress(path: Path, entry: Entry) -> None:
    """Give ``path`` owner, mode, attributes and time, in an order in which each stays."""
    os.chown(path, entry.uid, entry.gid, follow_symlinks=False)
    if entry.kind is EntryKind.SYMBOLIC_LINK:
        return
    path.chmod(entry.mode & 0o7777)
    for name, value in entry.xattrs.items():
        os.setxattr(path, name, value, follow_symlinks=False)
    os.utime(path, ns=(entry.mtime_ns, entry.mtime_ns))
