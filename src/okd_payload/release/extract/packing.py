# SPDX-License-Identifier: Apache-2.0
"""Archives of one program with a page about it: equal content and time, equal bytes.

Nothing of this machine and of this moment gets in: all times are that of the program in its
layer, owners are root, and compressors are pinned. Content is taken as it comes and never held.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Protocol

import msgspec

from okd_payload.oci.layers.compression import Bytes, GzipWriter
from okd_payload.oci.layers.entry import Entry, EntryKind
from okd_payload.oci.layers.tar_encoder import encode_header
from okd_payload.oci.layers.tar_header import ZERO_BLOCK, padding_of
from okd_payload.release.extract.zip_writer import ZipWriter
from okd_payload.release.output_folder import FILE_MODE, PROGRAM_MODE

README = "README.md"


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """What goes into an archive."""

    name: str
    size: int
    mtime_ns: int
    readme: str = ""
    links: tuple[str, ...] = ()
    """Further names of the program."""


class Packer(Protocol):
    """Takes the content of one program and writes a file."""

    def write(self, content: bytes | memoryview) -> None:
        """Take the next bytes of the program."""
        ...

    def finish(self) -> None:
        """Complete the file; it is closed by whoever opened it."""
        ...


class HashingFile:
    """A file that can only be written to, and knows the hash of what was.

    Nothing is buffered: packers write large pieces, and closing cannot fail for a full disk.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("xb", buffering=0)
        self._hash = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """Of all that was written."""
        return self._hash.hexdigest()

    def write(self, data: Bytes) -> None:
        """Write ``data`` whole."""
        self._hash.update(data)
        left = memoryview(data)
        while left:
            left = left[self._file.write(left) :]

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


class PlainPacker:
    """The program itself."""

    def __init__(self, out: HashingFile) -> None:
        self._out = out

    def write(self, content: bytes | memoryview) -> None:
        """Take the next bytes of the program."""
        self._out.write(content)

    def finish(self) -> None:
        """Nothing follows the program."""


class TarPacker:
    """A compressed tar archive: the page, the program, its links."""

    def __init__(self, out: HashingFile, program: Program) -> None:
        self._program = program
        self._gzip = GzipWriter(out.write)
        if program.readme:
            content = program.readme.encode()
            self._begin(README, mode=FILE_MODE, size=len(content))
            self._gzip.write(content + bytes(padding_of(len(content))))
        self._begin(program.name, mode=PROGRAM_MODE, size=program.size)

    def write(self, content: bytes | memoryview) -> None:
        """Take the next bytes of the program."""
        self._gzip.write(content)

    def finish(self) -> None:
        """Write the links and the end of the archive."""
        self._gzip.write(bytes(padding_of(self._program.size)))
        for link in self._program.links:
            self._begin(link, mode=PROGRAM_MODE, link=self._program.name)
        self._gzip.write(ZERO_BLOCK * 2)
        self._gzip.finish()

    def _begin(self, name: str, *, mode: int, size: int = 0, link: str = "") -> None:
        kind = EntryKind.HARD_LINK if link else EntryKind.FILE
        mtime = self._program.mtime_ns
        entry = Entry(name=name, kind=kind, mode=mode, size=size, mtime_ns=mtime, link=link)
        self._gzip.write(encode_header(entry))


class ZipPacker:
    """A zip archive: the page with the line ends of Windows, and the program."""

    def __init__(self, out: HashingFile, program: Program) -> None:
        self._archive = ZipWriter(out.write, mtime_ns=program.mtime_ns, mode=PROGRAM_MODE)
        if program.readme:
            self._archive.begin(README)
            self._archive.write(program.readme.replace("\n", "\r\n").encode())
        self._archive.begin(program.name)

    def write(self, content: bytes | memoryview) -> None:
        """Take the next bytes of the program."""
        self._archive.write(content)

    def finish(self) -> None:
        """Write the end of the archive."""
        self._archive.finish()


def make_packer(archive: str, out: HashingFile, program: Program) -> Packer:
    """What writes the file called ``archive``: by its ending an archive, or the program itself."""
    if archive.endswith(".zip"):
        return ZipPacker(out, program)
    if archive.endswith(".tar.gz"):
        return TarPacker(out, program)
    return PlainPacker(out)
