# SPDX-License-Identifier: Apache-2.0
"""Reading a release: its manifest, its configuration, its last layer, and nothing else.

``ReleaseContent`` is what lies there, readable or not; ``Release`` is what it says. A release in
a folder (as ``--to-dir`` writes it) has no image around it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from okd_payload.errors import InvalidDocument, NotFound, ReleaseError, StorageError
from okd_payload.imagestream.openshift import RawImageStream, TagReference, parse_image_stream
from okd_payload.oci.digest import Digest
from okd_payload.oci.image import Image, read_image
from okd_payload.oci.layers.entry import Entry
from okd_payload.oci.layers.read import read_files
from okd_payload.oci.manifest import Descriptor
from okd_payload.oci.repository import Repository
from okd_payload.release import labels
from okd_payload.release.metadata import ReleaseMetadata, parse_metadata
from okd_payload.release.naming import is_manifest

_FOLDER = f"{labels.FOLDER}/"


class ReleaseContent(msgspec.Struct, frozen=True, kw_only=True):
    """The files of a release, by their paths below ``release-manifests/``."""

    origin: str
    """Where they were read, for people."""
    files: Mapping[str, bytes]
    times: Mapping[str, int] = {}
    """When each file was changed, in nanoseconds since the epoch, as the layer says."""
    image: Image | None = None

    @property
    def manifests(self) -> dict[str, bytes]:
        """The files that the cluster applies, in byte order of their names."""
        return {name: self.files[name] for name in sorted(self.files) if is_manifest(name)}

    @property
    def others(self) -> list[str]:
        """The names of files that mean nothing to the cluster."""
        known = (labels.IMAGE_REFERENCES, labels.RELEASE_METADATA)
        return [name for name in sorted(self.files) if not is_manifest(name) and name not in known]


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """A release, read and understood."""

    content: ReleaseContent
    references: RawImageStream
    metadata: ReleaseMetadata | None
    """None when the file is absent, with which no cluster would be content."""

    @property
    def name(self) -> str:
        """The version that ``image-references`` gives."""
        return self.references.metadata.name

    @property
    def tags(self) -> tuple[TagReference, ...]:
        """The images, in the order of the file."""
        return self.references.spec.tags

    @property
    def digest(self) -> Digest | None:
        """The digest that its pull spec means: of the index where there is one."""
        return self.content.image.referenced.digest if self.content.image else None


async def load_release(
    repository: Repository, selector: str, *, platforms: re.Pattern[str] | None = None
) -> Release:
    """The release with this tag or digest. Raises NotFound, ContentError and ReleaseError.

    Of an index, the member whose platform ``platforms`` matches is read; without, that for this
    machine.
    """
    return parse_release(await read_release(repository, selector, platforms=platforms))


async def read_release(
    repository: Repository,
    selector: str,
    *,
    platforms: re.Pattern[str] | None = None,
    deep: bool = False,
) -> ReleaseContent:
    """The files of the release, not yet understood. Raises NotFound and ContentError.

    With ``deep`` the layers below the last one are searched too, until one has such files.
    """
    image = await _choose_image(repository, selector, platforms)
    files: dict[str, bytes] = {}
    times: dict[str, int] = {}
    for layer in reversed(image.layers if deep else image.layers[-1:]):
        found = read_files(repository.blobs, layer, want=_is_file)
        async for file in found:
            name = file.entry.path.removeprefix(_FOLDER)
            files[name], times[name] = file.content, file.entry.mtime_ns
        if files:
            break
    return ReleaseContent(
        origin=f"{repository.name}@{image.referenced.digest}",
        files=files,
        times=times,
        image=image,
    )


def find_folder(text: str) -> Path | None:
    """The folder that ``text`` names, when there is one with a release in it.

    Raises StorageError when it may not be looked into.
    """
    folder = Path(text)
    for candidate in (folder, folder / labels.FOLDER):
        try:
            if (candidate / labels.IMAGE_REFERENCES).is_file():
                return candidate
        except PermissionError as error:
            raise _unreadable(folder, error) from error
        except OSError:  # too long to be a path
            return None
    return None


def read_folder(folder: Path) -> ReleaseContent:
    """The files of a release that was written to ``folder``. Raises StorageError."""
    try:
        found = [path for path in folder.iterdir() if path.is_file()]
        files = {path.name: path.read_bytes() for path in found}
        times = {path.name: path.stat().st_mtime_ns for path in found}
    except OSError as error:
        raise _unreadable(folder, error) from error
    return ReleaseContent(origin=str(folder), files=files, times=times)


def _unreadable(folder: Path, error: OSError) -> StorageError:
    return StorageError(f"cannot read {folder}: {error.strerror}", hint="check who owns the folder")


def parse_release(content: ReleaseContent) -> Release:
    """What ``content`` says. Raises ReleaseError when it is no release."""
    references = content.files.get(labels.IMAGE_REFERENCES)
    if references is None:
        raise ReleaseError(
            "release image did not contain an image-references file",
            hint=f"{content.origin} is an ordinary image, or something was put on top of a release",
        )
    metadata = content.files.get(labels.RELEASE_METADATA)
    try:
        return Release(
            content=content,
            references=parse_image_stream(references, path=labels.IMAGE_REFERENCES),
            metadata=None
            if metadata is None
            else parse_metadata(metadata, path=labels.RELEASE_METADATA),
        )
    except InvalidDocument as error:
        raise ReleaseError(
            f"{content.origin}: {error.message}",
            hint="`okd-payload release lint` tells all that is wrong with it",
        ) from error


async def _choose_image(
    repository: Repository, selector: str, platforms: re.Pattern[str] | None
) -> Image:
    if platforms is None:
        return await read_image(repository, selector)
    referenced = await repository.manifests.get(selector)
    if not referenced.is_index:
        return await read_image(repository, referenced.digest)
    for member in referenced.index().manifests:
        if platforms.search(_platform_of(member)):
            image = await read_image(repository, member.digest)
            return msgspec.structs.replace(image, referenced=referenced)
    offered = ", ".join(map(_platform_of, referenced.index().manifests))
    raise NotFound(
        f"{repository.name}@{referenced.digest} has no image for {platforms.pattern}",
        hint=f"it has: {offered}",
    )


def _platform_of(member: Descriptor) -> str:
    return str(member.platform) if member.platform else ""


def _is_file(entry: Entry) -> bool:
    return entry.path.startswith(_FOLDER)
