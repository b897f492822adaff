# SPDX-License-Identifier: Apache-2.0
"""The images of a release, by what a catalog can be compared with: names, sources, digests.

A release, the stream of a cluster in a file and the JSON of ``release info`` say the same. Which
repository an image comes from is in its annotations, or in the labels of the image itself.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from okd_payload.documents import Document, parse_documents
from okd_payload.errors import InvalidDocument, InvalidReference
from okd_payload.imagestream.openshift import (
    DOCKER_IMAGE,
    KIND,
    ObjectReference,
    RawImageStream,
    TagReference,
    parse_image_stream,
    read_image_stream_file,
)
from okd_payload.oci.image import Image
from okd_payload.oci.reference import parse_reference
from okd_payload.release import labels
from okd_payload.release.inputs import pull_spec_of

_COMMIT = re.compile(r"[0-9a-f]{40}")
_SCP_LIKE = re.compile(r"(?:[^@/:\s]+@)?(?P<host>[^@/:\s]+):(?P<path>[^/].*)")


class ReleaseImage(msgspec.Struct, frozen=True, kw_only=True):
    """One image of a release, and what it was built from as far as it says so."""

    tag: str
    pull_spec: str = ""
    location: str = ""
    """The URL of its repository."""
    commit: str = ""
    ref: str = ""

    @property
    def digest(self) -> str:
        """The digest of the image; empty when it is not named by one."""
        try:
            return parse_reference(self.pull_spec).digest or ""
        except InvalidReference:
            return ""


class ReleaseImages(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A release as a list of images."""

    name: str
    images: tuple[ReleaseImage, ...]

    @functools.cached_property
    def by_tag(self) -> dict[str, ReleaseImage]:
        """The images by their tags."""
        return {image.tag: image for image in self.images}


def images_of(references: RawImageStream, *, name: str = "") -> ReleaseImages:
    """The images that ``references`` wants; of a stream of a cluster, those that it has."""
    tags: Iterable[TagReference] = references.spec.tags
    if not references.spec.tags:
        tags = _observed(references)
    return ReleaseImages(
        name=name or references.metadata.name,
        images=tuple(sorted(map(_read, tags), key=lambda image: image.tag)),
    )


def read_release_file(path: Path) -> ReleaseImages:
    """The images in the file at ``path``: an ImageStream, or what ``release info -o json`` prints.

    Raises InvalidDocument.
    """
    document = _read_document(path)
    value = document.value
    if isinstance(value, dict) and value.get("kind") != KIND and "references" in value:
        content = msgspec.json.encode(value["references"])
        metadata = value.get("metadata")
        version = metadata.get("version") if isinstance(metadata, dict) else ""
        name = version if isinstance(version, str) else ""
        return images_of(parse_image_stream(content, path=str(path)), name=name)
    return images_of(read_image_stream_file(path))


def read_labels(image: ReleaseImage, found: Image) -> ReleaseImage:
    """``image`` with what the labels of its configuration say, where annotations said nothing."""
    said = found.config.config.labels
    return msgspec.structs.replace(
        image,
        location=said.get(labels.SOURCE, ""),
        commit=_commit_in(said),
        ref=said.get(labels.COMMIT_REF, ""),
    )


def same_repository(one: str, other: str) -> bool:
    """Whether two URLs name the same repository, however they are written."""
    return _normal(one) == _normal(other)


def _read(tag: TagReference) -> ReleaseImage:
    said = tag.annotations or {}
    return ReleaseImage(
        tag=tag.name,
        pull_spec=pull_spec_of(tag),
        location=said.get(labels.SOURCE, ""),
        commit=_commit_in(said),
        ref=said.get(labels.COMMIT_REF, ""),
    )


def _commit_in(said: dict[str, str]) -> str:
    commit = said.get(labels.COMMIT_ID, "")
    return commit if _COMMIT.fullmatch(commit) else ""


def _observed(references: RawImageStream) -> list[TagReference]:
    """The tags that a cluster has images for, newest first of each."""
    return [
        TagReference(
            name=history.tag,
            origin=ObjectReference(kind=DOCKER_IMAGE, name=history.items[0].docker_image_reference),
        )
        for history in references.status.tags
        if history.items
    ]


def _read_document(path: Path) -> Document:
    try:
        documents = parse_documents(path.read_bytes(), path=str(path))
    except OSError as error:
        raise InvalidDocument(error.strerror or str(error), path=str(path)) from error
    if not documents:
        raise InvalidDocument("the file is empty", path=str(path))
    return documents[0]


def _normal(url: str) -> str:
    """Host and path of ``url`` as the same for all ways to write it."""
    found = _SCP_LIKE.fullmatch(url) if "://" not in url else None
    if found:
        host, path = found["host"], found["path"]
    else:
        try:
            parts = urlsplit(url)
        except ValueError:  # labels of images hold anything
            return url
        host, path = parts.netloc.rpartition("@")[2], parts.path
    return f"{host.lower()}/{path.strip('/').removesuffix('.git')}"
