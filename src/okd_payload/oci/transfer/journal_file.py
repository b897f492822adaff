# SPDX-License-Identifier: Apache-2.0
"""A journal that is a file of lines, to which any number of processes add.

A line is written in one piece, so a killed process leaves at most one torn line at the end; what
cannot be read is passed over. Manifests are kept with their digest and are checked against it.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from okd_payload.errors import ContentError, StorageError
from okd_payload.oci.digest import Digest
from okd_payload.oci.manifest import Manifest, read_manifest
from okd_payload.oci.transfer.model import PlannedImage

_log = logging.getLogger(__name__)


class _Known(msgspec.Struct, frozen=True, tag_field="line", tag="manifest"):
    digest: Digest
    media_type: str
    content: bytes


class _Seen(msgspec.Struct, frozen=True, tag_field="line", tag="image"):
    target: str
    tag: str
    digest: Digest
    attached: tuple[tuple[str, Digest], ...]
    whole: bool


_Line = _Known | _Seen
_Image = tuple[str, str, Digest]


class JournalFile:
    """The journal in the file ``path``; open it with ``with``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = -1
        self._manifests: dict[Digest, Manifest] = {}
        self._whole: dict[_Image, frozenset[tuple[str, Digest]]] = {}

    def manifest(self, digest: Digest) -> Manifest | None:
        """The manifest with ``digest``, None when it is not known."""
        return self._manifests.get(digest)

    def keep(self, manifest: Manifest) -> None:
        """Remember ``manifest``."""
        if manifest.digest not in self._manifests:
            self._manifests[manifest.digest] = manifest
            self._add(_Known(manifest.digest, manifest.media_type, manifest.content))

    def is_whole(self, image: PlannedImage) -> bool:
        """Whether ``image``, its tag and its attachments were whole at their destination."""
        attached = self._whole.get(_name(image))
        return attached is not None and attached >= _attached(image)

    def note(self, image: PlannedImage, *, whole: bool) -> None:
        """Remember that ``image`` is whole at its destination, or is not any more."""
        if self.is_whole(image) != whole:
            seen = _Seen(*_name(image), tuple(sorted(_attached(image))), whole)
            self._take(seen)
            self._add(seen)

    def __enter__(self) -> Self:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            self._file = os.open(self._path, flags, 0o666)
            content = self._path.read_bytes()
            if content and not content.endswith(b"\n"):
                os.write(self._file, b"\n")
        except OSError as error:
            raise StorageError(
                f"cannot write to {self._path}: {error.strerror}",
                hint="choose a folder that has room and may be written to with --state",
            ) from error
        self._read(content)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.close(self._file)

    def _read(self, content: bytes) -> None:
        decoder = msgspec.json.Decoder(_Line)
        for line in content.splitlines():
            try:
                found = decoder.decode(line)
                if isinstance(found, _Known):
                    manifest = read_manifest(found.content, media_type=found.media_type)
                    self._manifests[manifest.digest] = manifest
                else:
                    self._take(found)
            except (msgspec.DecodeError, UnicodeDecodeError, ContentError):
                _log.info("a line of %s cannot be read and is passed over", self._path)

    def _take(self, seen: _Seen) -> None:
        image = (seen.target, seen.tag, seen.digest)
        if seen.whole:
            self._whole[image] = self._whole.get(image, frozenset()) | set(seen.attached)
        else:
            self._whole.pop(image, None)

    def _add(self, line: _Line) -> None:
        """Write a line; a full disk must not stop a transfer to elsewhere."""
        try:
            os.write(self._file, msgspec.json.encode(line) + b"\n")
        except OSError as error:
            _log.warning("cannot write to %s: %s", self._path, error.strerror)


def _name(image: PlannedImage) -> _Image:
    return (image.copy.destination.name, image.copy.tag, image.root.manifest.digest)


def _attached(image: PlannedImage) -> frozenset[tuple[str, Digest]]:
    return frozenset((item.tag, item.planned.manifest.digest) for item in image.attachments)
