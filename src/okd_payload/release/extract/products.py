# SPDX-License-Identifier: Apache-2.0
"""From the program in an image to the file that somebody wants of it.

A product takes one program as it arrives: values are written into it, it is signed anew where
its system asks for that, and it is packed or left as it is. Nothing is kept but a few pages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from okd_payload.errors import InputError, ReleaseError
from okd_payload.oci.layers.entry import Entry
from okd_payload.oci.reference import Reference
from okd_payload.release.extract import markers
from okd_payload.release.extract.mach_o import AdHocSigner
from okd_payload.release.extract.markers import MarkerWriter, Replacement
from okd_payload.release.extract.packing import HashingFile, Packer, Program, make_packer
from okd_payload.release.extract.targets import Target
from okd_payload.release.extract.texts import readme_for
from okd_payload.release.load import Release
from okd_payload.release.output_folder import (
    FILE_MODE,
    PROGRAM_MODE,
    ExtractedFile,
    TargetFolder,
    cannot_write,
)

_SAFE_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+_-]*")


class Values(msgspec.Struct, frozen=True, kw_only=True):
    """What tools are told about their release."""

    version: str
    texts: Mapping[str, str]
    """What markers are replaced by, by their titles."""

    def replacements_for(self, target: Target) -> list[Replacement]:
        """What is written into the program of ``target``.

        Raises InputError for what nobody knows, ReleaseError for what has no room.
        """
        found = [Replacement(marker, self.texts[marker.title]) for marker in target.tool.markers]
        for item in found:
            item.check()
        if not all(item.value for item in found):
            raise InputError(
                f"{target.command} must be told where clusters pull the release, and it is in no"
                " registry",
                hint="say where it will be published with --published-as HOST/PATH",
            )
        return found


def values_of(release: Release, pull_from: Reference | None) -> Values:
    """What the tools of ``release`` are told. Raises ReleaseError for an unusable version."""
    image, metadata = release.content.image, release.metadata
    version = metadata.version if metadata and metadata.version else release.name
    if not _SAFE_VERSION.fullmatch(version):
        raise ReleaseError(
            f"the release has the version {version[:100]!r}, which no file can be named after",
            hint="make the release again, under a version like 4.20.0-okd.1",
        )
    platform = f"{image.config.os}/{image.config.architecture}" if image else ""
    is_index = image is not None and image.referenced.is_index
    return Values(
        version=version,
        texts={
            markers.IMAGE.title: str(pull_from) if pull_from else "",
            markers.VERSION.title: version,
            markers.ARCHITECTURE.title: f"multi ({platform})" if is_index else platform,
        },
    )


class Product:
    """A sink for one program; as a context it lets go of its file at the end."""

    def __init__(
        self, target: Target, values: Values, folder: TargetFolder, *, as_archive: bool
    ) -> None:
        """Raise what ``Values.replacements_for`` raises."""
        self.target = target
        self.name = target.archive % values.version if as_archive else target.tool.installed_as
        self._mode = FILE_MODE if as_archive else PROGRAM_MODE
        self._folder = folder
        self._replacements = values.replacements_for(target)
        self._markers = MarkerWriter(self._replacements)
        self._signer: AdHocSigner | None = None
        self._writing: _Writing | None = None
        self._written: _Written | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._writing is not None:
            self._writing.out.close()

    @property
    def is_made(self) -> bool:
        """Whether the program was found and the file is complete."""
        return self._written is not None

    @property
    def warnings(self) -> list[str]:
        """What did not go as it should have, though there is a file."""
        if not self.is_made:
            return []
        found = []
        if self._markers.missing:
            found.append(
                f"Unable to make all expected replacements in {self.target.command}."
                f"  Remaining: {', '.join(self._markers.missing)}"
            )
        if self._signer and self._signer.problem:
            found.append(f"{self.name} is not signed anew: {self._signer.problem}")
        return found

    def begin(self, entry: Entry) -> None:
        """The program begins, in place of one that came before."""
        target = self.target
        self._markers = MarkerWriter(self._replacements)
        self._signer = AdHocSigner() if target.is_signed else None
        self._written = None
        program = Program(
            name=target.program_name,
            size=entry.size,
            mtime_ns=entry.mtime_ns,
            readme=readme_for(
                target.tool.readme, target.program_name, for_windows=target.is_for_windows
            ),
            links=target.tool.links,
        )
        path = self._folder.new_path()
        try:
            out = HashingFile(path)
            self._writing = _Writing(path, out, make_packer(self.name, out, program), entry)
        except OSError as error:
            raise cannot_write(Path(self.name), error) from error

    def take(self, content: memoryview) -> None:
        """The next bytes of the program."""
        self._put(self._markers.feed(content))

    def end(self) -> None:
        """The program is complete."""
        self._put(self._markers.finish())
        writing, self._writing = self._writing, None
        if writing is None:
            return
        try:
            if self._signer:
                writing.packer.write(self._signer.finish())
            writing.packer.finish()
        except OSError as error:
            raise cannot_write(Path(self.name), error) from error
        finally:
            writing.out.close()
        self._written = _Written(writing.path, writing.out.sha256, writing.entry.mtime_ns)

    def discard(self) -> None:
        """Forget what was taken: it turned out to be no file of the image."""
        self._written = None

    def adopt(self) -> ExtractedFile | None:
        """The file, which waits for its name; None when the program was not found."""
        if self._written is None:
            return None
        path, sha256, mtime_ns = msgspec.structs.astuple(self._written)
        return self._folder.adopt(
            path, self.name, mtime_ns=mtime_ns, sha256=sha256, mode=self._mode
        )

    def _put(self, data: bytes | memoryview) -> None:
        if self._signer:
            data = self._signer.feed(data)
        try:
            if self._writing and data:
                self._writing.packer.write(data)
        except OSError as error:
            raise cannot_write(Path(self.name), error) from error


class _Writing(msgspec.Struct, frozen=True):
    """A file that is being written."""

    path: Path
    out: HashingFile
    packer: Packer
    entry: Entry


class _Written(msgspec.Struct, frozen=True):
    """A file that is complete but for its name."""

    path: Path
    sha256: str
    mtime_ns: int
