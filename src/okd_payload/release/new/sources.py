# SPDX-License-Identifier: Apache-2.0
"""Where a release may come from besides an image stream: another release, or folders.

What ``write_operator_folders`` writes ``read_operator_folders`` reads back unchanged, times of
files included. Nothing is pulled: folders say what the images of a release bring.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from okd_payload.errors import InvalidDocument, ReleaseError, StorageError
from okd_payload.imagestream import go_json
from okd_payload.imagestream.openshift import (
    API_VERSION,
    KIND,
    RawImageStream,
    encode_image_stream,
)
from okd_payload.release import labels
from okd_payload.release.inputs import ReleaseInput, make_input, override, pull_spec_of
from okd_payload.release.load import Release
from okd_payload.release.metadata import make_references
from okd_payload.release.new.images import Operator, SourceFile
from okd_payload.release.new.payload import Payload, ReleaseParts


def read_operator_folders(folder: Path) -> ReleaseParts:
    """What lies in ``folder``: one folder per operator, and perhaps an ``image-references``.

    Nothing is pulled. Raises StorageError and InvalidDocument.
    """
    try:
        operators = tuple(
            Operator(path.name, _read_files(path))
            for path in sorted(folder.iterdir())
            if path.is_dir()
        )
        stream = _read_stream(folder / labels.IMAGE_REFERENCES)
    except OSError as error:
        raise StorageError(
            f"cannot read {folder}: {error.strerror}", hint="check who may read it"
        ) from error
    given = make_input(stream.spec.tags, annotations=stream.metadata.annotations)
    return ReleaseParts(given=given, operators=operators)


def override_parts(parts: ReleaseParts, pull_specs: Mapping[str, str]) -> ReleaseParts:
    """``parts`` with tags added or replaced. Raises UnknownName for one without a folder."""
    known = [operator.tag for operator in parts.operators]
    for name in pull_specs:
        if name not in known:
            raise ReleaseError(
                f"missing image data {name}: its manifests are in no folder",
                hint=f"there are: {', '.join(known)}",
            )
    return msgspec.structs.replace(parts, given=override(parts.given, pull_specs))


def write_operator_folders(parts: ReleaseParts, payload: Payload, folder: Path) -> None:
    """Write what ``read_operator_folders`` reads: files as they came, and all tags offered."""
    stream = make_references(
        payload.name,
        created=payload.created,
        tags=parts.tags,
        annotations=payload.references.metadata.annotations,
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for operator in parts.operators:
            (folder / operator.tag).mkdir(exist_ok=True)
            for file in operator.files:
                path = folder / operator.tag / file.name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(file.content)
                os.utime(path, ns=(file.mtime_ns, file.mtime_ns))
        (folder / labels.IMAGE_REFERENCES).write_bytes(encode_image_stream(stream))
    except OSError as error:
        raise StorageError(
            f"cannot write to {folder}: {error.strerror}", hint="check free space and rights there"
        ) from error


def read_tags_of(release: Release) -> ReleaseInput:
    """The tags of ``release``, and the annotations that its heirs inherit."""
    return make_input(release.tags, annotations=release.references.metadata.annotations)


def base_digest_of(release: Release) -> str:
    """The digest of the image that ``release`` was put on, empty when it does not say."""
    image = release.content.image
    return image.config.labels.get(labels.BASE_DIGEST, "") if image else ""


def tag_with_digest(release: Release, digest: str) -> str | None:
    """The first tag of ``release`` that is the image ``digest``."""
    pull_specs = {tag.name: pull_spec_of(tag) for tag in release.tags}
    return next(
        (name for name, text in pull_specs.items() if text and text.endswith(f"@{digest}")), None
    )


def _read_files(folder: Path) -> tuple[SourceFile, ...]:
    return tuple(
        SourceFile(path.name, path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.iterdir(), key=lambda path: path.name.encode())
        if path.is_file()
    )


def _read_stream(path: Path) -> RawImageStream:
    """The stream, which must be JSON here; an absent one is empty."""
    if not path.exists():
        return RawImageStream()
    stream = go_json.decode(path.read_bytes(), RawImageStream, path=str(path))
    if (stream.kind, stream.api_version) != (KIND, API_VERSION):
        raise InvalidDocument(
            f"not an {KIND} in {API_VERSION}",
            path=str(path),
            hint="put the image-references there that `release extract` wrote, or none",
        )
    return stream
