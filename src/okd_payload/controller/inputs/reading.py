# SPDX-License-Identifier: Apache-2.0
"""The images of an input as they are now, wherever it is.

A registry repository or layout, an image stream of the cluster, a file, or a published release,
alone or below the others. Only tags and digests are read: what the images are is asked when a
release is made of them. A tag of an image stream that only refers to another registry's tag is
what that has at the moment, as a payload made now would have it. The hash is over names, digests
and what of the configuration decides the payload, so the same hash means the same payload, and a
renamed tag is a change.
"""

from __future__ import annotations

import fnmatch
import hashlib
from collections.abc import Iterable
from pathlib import Path

import msgspec

from okd_payload.controller.configuration.model import Input, StreamConfiguration
from okd_payload.controller.model import FrozenInput
from okd_payload.controller.surroundings import Surroundings
from okd_payload.errors import InputError, InvalidReference
from okd_payload.imagestream.cluster import read_cluster_stream, references_of, tags_of
from okd_payload.imagestream.openshift import TagReference, parse_image_stream
from okd_payload.imagestream.repository import read_repository
from okd_payload.oci.digest import Digest
from okd_payload.oci.location import RegistryLocation, parse_location
from okd_payload.oci.reference import parse_reference
from okd_payload.oci.repository import stat_manifest
from okd_payload.release.concurrency import map_concurrently
from okd_payload.release.inputs import pull_spec_of
from okd_payload.release.load import load_release

_AT_ONCE = 32
"""References that are asked for at a time; the registry client adapts below it."""


class InputImages(msgspec.Struct, frozen=True, kw_only=True):
    """The images of an input at one moment, by tag."""

    images: tuple[FrozenInput, ...] = ()
    input_hash: str = ""
    """Empty when there are none: of nothing no release is made."""


async def read_input(surroundings: Surroundings, configuration: StreamConfiguration) -> InputImages:
    """What ``configuration`` is made of now.

    Raises what reading the place raises: RegistryError, ClusterError, InputError, StorageError.
    """
    watched = configuration.input
    found: dict[str, FrozenInput] = {}
    if watched.release:
        found |= _by_tag(await _read_release(surroundings, watched.release))
    if watched.repository:
        found |= _by_tag(await _read_repository(surroundings, watched.repository))
    elif watched.image_stream:
        found |= _by_tag(await _read_image_stream(surroundings, watched))
    elif watched.file:
        found |= _by_tag(_read_file(watched.file))
    images = tuple(found[tag] for tag in sorted(found) if is_taken(tag, watched))
    digests = [(image.tag, image.digest) for image in images]
    return InputImages(
        images=images, input_hash=hash_inputs(digests, configuration) if images else ""
    )


def hash_inputs(digests: Iterable[tuple[str, Digest]], configuration: StreamConfiguration) -> str:
    """One text for ``digests`` by tag and what of ``configuration`` decides the payload."""
    decisive = (
        sorted(digests),
        configuration.content,
        configuration.releases,
        configuration.architectures,
    )
    return "sha256:" + hashlib.sha256(msgspec.json.encode(decisive)).hexdigest()


def is_taken(tag: str, watched: Input) -> bool:
    """Whether the image ``tag`` is one of the input's."""
    included = not watched.include or _matches(tag, watched.include)
    return included and not _matches(tag, watched.exclude)


def _matches(tag: str, globs: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(tag, glob) for glob in globs)


def _by_tag(images: Iterable[FrozenInput]) -> dict[str, FrozenInput]:
    return {image.tag: image for image in images}


async def _read_repository(surroundings: Surroundings, text: str) -> list[FrozenInput]:
    location = parse_location(text)
    repository = await surroundings.open_location(location)
    stream = await read_repository(repository, name=text, published_as=location.repository)
    return [
        FrozenInput(tag=tag.name, digest=tag.digest, reference=tag.reference) for tag in stream.tags
    ]


async def _read_image_stream(surroundings: Surroundings, watched: Input) -> list[FrozenInput]:
    place = watched.image_stream
    if surroundings.cluster is None:
        raise InputError(
            f"the image stream {place} is in a cluster, and none is known here",
            hint="start with --kubeconfig, or in a pod of the cluster",
        )
    namespace, _, name = place.rpartition("/")
    stream = await read_cluster_stream(surroundings.cluster, name, namespace=namespace)
    referring = references_of(stream)

    async def read(tag: str) -> FrozenInput:
        return await _read_elsewhere(surroundings, tag, referring[tag], origin=place)

    taken = [tag for tag in referring if is_taken(tag, watched)]
    elsewhere = await map_concurrently(read, taken, at_once=_AT_ONCE)
    inside = [
        FrozenInput(tag=tag.name, digest=tag.digest, reference=tag.reference)
        for tag in tags_of(stream)
        if tag.name not in referring
    ]
    return inside + elsewhere


async def _read_elsewhere(
    surroundings: Surroundings, tag: str, pull_spec: str, *, origin: str
) -> FrozenInput:
    """The image that ``pull_spec`` names now. Raises InputError where there is none."""
    try:
        reference = parse_reference(pull_spec)
    except InvalidReference as error:
        raise InputError(f"{origin}: the tag {tag}: {error.message}", hint=error.hint) from error
    if reference.digest is not None:
        return FrozenInput(tag=tag, digest=reference.digest, reference=pull_spec)
    repository = await surroundings.open_location(RegistryLocation(reference))
    seen = await stat_manifest(repository.manifests, reference.selector)
    if seen is None:
        raise InputError(
            f"{origin}: the tag {tag} refers to {pull_spec}, which is not there",
            hint="push it, correct the tag, or exclude it from the input",
        )
    digest = Digest(seen.digest)
    return FrozenInput(tag=tag, digest=digest, reference=str(reference.with_digest(digest)))


def _read_file(text: str) -> list[FrozenInput]:
    path = Path(text)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"cannot read {path}: {error.strerror}", hint="name a file with an image stream"
        ) from error
    return _pinned(parse_image_stream(content, path=text).spec.tags, origin=text)


async def _read_release(surroundings: Surroundings, text: str) -> list[FrozenInput]:
    location = parse_location(text)
    release = await load_release(await surroundings.open_location(location), location.selector)
    return _pinned(release.tags, origin=text)


def _pinned(tags: Iterable[TagReference], *, origin: str) -> list[FrozenInput]:
    """``tags`` as images. Raises InputError for one that is not pinned by digest."""
    found = []
    for tag in tags:
        reference = parse_reference(pull_spec_of(tag))
        if reference.digest is None:
            raise InputError(
                f"{origin}: the tag {tag.name} is not pinned by digest",
                hint="a stream that is watched needs digests; watch the repository instead",
            )
        found.append(FrozenInput(tag=tag.name, digest=reference.digest, reference=str(reference)))
    return found
