# SPDX-License-Identifier: Apache-2.0
"""What ``release new`` is asked for, and the payload that answers it.

A request is a value; preparing it reads images and writes nothing. Whoever shows and publishes
the result decides what to do about its issues.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from okd_payload.errors import NotFound, ReleaseError
from okd_payload.imagestream.openshift import RawImageStream
from okd_payload.imagestream.repository import read_repository
from okd_payload.oci.config import read_config
from okd_payload.oci.location import Location, RegistryLocation, parse_location
from okd_payload.oci.reference import DEFAULT_TAG, parse_reference
from okd_payload.oci.repository import Repository
from okd_payload.oci.threads import finish_in_thread
from okd_payload.progress import Noticed, Progress
from okd_payload.release import labels
from okd_payload.release.inputs import (
    ReleaseInput,
    annotate,
    exclude,
    override,
    pull_spec_of,
    read_tags,
)
from okd_payload.release.load import Release, parse_release, read_release
from okd_payload.release.metadata import ReleaseMetadata, make_references
from okd_payload.release.new.assemble import AssembledRelease, read_parts
from okd_payload.release.new.images import RepositoryOf
from okd_payload.release.new.mirror import rename
from okd_payload.release.new.payload import (
    Payload,
    ReleaseOptions,
    ReleaseParts,
    default_name,
    make_payload,
)
from okd_payload.release.new.remembered_checks import CheckManifest
from okd_payload.release.new.sources import (
    base_digest_of,
    override_parts,
    read_operator_folders,
    read_tags_of,
    tag_with_digest,
)
from okd_payload.release.new.stream_tags import ReferenceMode, read_image_stream
from okd_payload.release.objects import check_manifest

OpenLocation = Callable[[Location], Awaitable[Repository]]


class NewRequest(msgspec.Struct, frozen=True, kw_only=True):
    """At most one source (mappings alone will do), and what is to be made of it."""

    stream: RawImageStream | None = None
    stream_origin: str = ""
    """``namespace/name`` of the stream in the cluster that it was read from."""
    mode: ReferenceMode = "public"
    repository: str = ""
    """A repository whose tags are the stream."""
    published_as: str = ""
    """The repository that pull specs shall name instead of ``repository``."""
    release: str = ""
    """The pull spec of a release, as typed."""
    folder: Path | None = None
    mappings: dict[str, str] = {}
    excluded: frozenset[str] = frozenset()
    options: ReleaseOptions = ReleaseOptions()
    previous: tuple[str, ...] | None = None
    """None inherits from the source release, like the next two."""
    following: tuple[str, ...] | None = None
    metadata: dict[str, Any] | None = None
    base: str = ""
    """The pull spec of the base; empty takes that of the base tag."""
    base_tag: str = ""
    """Empty takes that of the source release, or the cluster-version-operator."""
    keep_lists: bool = False
    mirror: str = ""
    """The repository that images are named in, because they will be copied there."""

    @property
    def repeats(self) -> bool:
        """Whether a release shall be made again exactly as it is, its time of creation included."""
        lenience = ReleaseOptions(
            allow_missing_images=self.options.allow_missing_images,
            check_manifests=self.options.check_manifests,
            version_keys=self.options.version_keys,
            created=self.options.created,
        )
        changes = (self.previous, self.following, self.metadata) != (None, None, None)
        changes = changes or bool(self.mappings or self.excluded or self.mirror)
        changes = changes or bool(self.base or self.base_tag)
        return bool(self.release) and self.options == lenience and not changes


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A request with its sources read: tags to make a release of, and under which options."""

    given: ReleaseInput
    options: ReleaseOptions
    base: str = ""
    folders: ReleaseParts | None = None
    """The manifests, where they came from folders and nothing is to be pulled."""
    source: Release | None = None
    """The release that this one is made from."""


async def prepare(
    request: NewRequest,
    *,
    open_location: OpenLocation,
    repository_of: RepositoryOf,
    progress: Progress,
) -> Prepared:
    """Read the source of ``request`` and apply its overrides.

    Of images only the release that is given is read, and of the list that it may be put on its
    manifest. Raises InputError, ReleaseError and RegistryError.
    """
    if request.folder is not None:
        return _prepare_folders(request, request.folder, progress)
    if request.release:
        return await _prepare_release(request, open_location, repository_of, progress)
    given = ReleaseInput()
    if request.stream is not None:
        given = read_image_stream(request.stream, mode=request.mode, excluded=request.excluded)
        if request.stream_origin:
            given = annotate(given, {labels.FROM_IMAGE_STREAM: request.stream_origin})
    elif request.repository:
        given = exclude(await _read_repository(request, open_location), request.excluded)
    if request.stream is not None or request.repository:
        _notice(progress, f"Found {len(given.tags)} images in image stream")
    return Prepared(
        given=exclude(override(given, request.mappings), request.excluded),
        options=_complete(request),
        base=request.base,
    )


async def make(
    request: NewRequest,
    prepared: Prepared,
    *,
    repository_of: RepositoryOf,
    progress: Progress,
    check: CheckManifest = check_manifest,
) -> tuple[ReleaseParts, Payload]:
    """The payload, and what it was made of. Raises RegistryError, ReleaseError and InputError.

    A ``check`` that remembers is called twice for each manifest: first beside the reading.
    """
    remembers = check is not check_manifest and prepared.options.check_manifests
    parts = prepared.folders or await read_parts(
        prepared.given,
        options=prepared.options,
        repository_of=repository_of,
        base=prepared.base,
        keep_lists=request.keep_lists,
        progress=progress,
        look_at=check if remembers else None,
    )
    if request.repeats:  # what was not stated then must not be now
        parts = msgspec.structs.replace(parts, architectures=())
    named = rename(parts, request.mirror) if request.mirror else parts
    payload = await finish_in_thread(make_payload, named, prepared.options, check=check)
    if len(payload.tags) < len(parts.given.tags):
        _notice(
            progress,
            f"Included {len(payload.tags)} images from {len(payload.operators)} input operators"
            " into the release",
        )
    return parts, payload


def merged_stream(prepared: Prepared, *, now: datetime) -> RawImageStream:
    """All tags that the release would be made of, before any image was read."""
    created = prepared.options.created or now
    return make_references(
        prepared.options.name or default_name(created),
        created=created,
        tags=prepared.given.tags,
        annotations=prepared.given.annotations,
    )


def is_repetition(source: Release, made: AssembledRelease) -> bool:
    """Whether ``made`` has the content of ``source``, however its layer is compressed."""
    if source.content.image is None:
        return False
    wanted = source.content.image.config
    configs = [read_config(member.config) for member in made.image.members]
    return any(
        (config.diff_ids, config.labels) == (wanted.diff_ids, wanted.labels) for config in configs
    )


def _prepare_folders(request: NewRequest, folder: Path, progress: Progress) -> Prepared:
    _notice(progress, f"Using {folder} as the input to the release")
    parts = read_operator_folders(folder)
    _notice(progress, f"Found {len(parts.operators)} operator manifest directories on disk")
    parts = override_parts(parts, request.mappings)
    given = exclude(parts.given, request.excluded)
    return Prepared(
        given=given,
        options=_complete(request),
        base=request.base,
        folders=msgspec.structs.replace(parts, given=given),
    )


async def _prepare_release(
    request: NewRequest,
    open_location: OpenLocation,
    repository_of: RepositoryOf,
    progress: Progress,
) -> Prepared:
    location = parse_location(request.release)
    repository = await open_location(location)
    content = await read_release(repository, location.selector or DEFAULT_TAG, deep=True)
    source = parse_release(content)
    if source.metadata is None:
        raise ReleaseError(
            f"{content.origin} has no {labels.RELEASE_METADATA}",
            hint="releases are made from other releases, and this is half of one: name another",
        )
    given = exclude(read_tags_of(source), request.excluded)
    count = len(given.tags)
    if request.repeats:
        _notice(progress, f"Release {source.digest} built from {count} images")
    else:
        origin = str(location) if isinstance(location, RegistryLocation) else str(source.digest)
        given = annotate(given, {labels.FROM_RELEASE: origin})
        _notice(progress, f"Found {count} images in release")
    base_tag, base = await _choose_base(request, source, repository_of)
    return Prepared(
        given=exclude(override(given, request.mappings), request.excluded),
        options=_complete(request, source, base_tag=base_tag),
        base=base,
        source=source,
    )


async def _choose_base(
    request: NewRequest, source: Release, repository_of: RepositoryOf
) -> tuple[str, str]:
    """The base tag and the base's pull spec, either empty to go by the other."""
    if request.base or request.base_tag:
        return request.base_tag, request.base
    digest = base_digest_of(source)
    if not digest:
        return "", ""
    tag = tag_with_digest(source, digest)
    if tag is None and request.keep_lists and await _lists_base(source, digest, repository_of):
        tag = labels.BASE_TAG
    if tag is None and not request.keep_lists:
        raise ReleaseError(
            "unable to find an image within the release that matches the base image manifest"
            f' "{digest}", please specify --to-image-base',
            hint="the release was put on an image that is not, or no longer, one of its tags",
        )
    return (tag, "") if tag else ("", request.release)


async def _lists_base(source: Release, digest: str, repository_of: RepositoryOf) -> bool:
    """Whether the base tag of ``source`` is a list with ``digest`` in it.

    Each member of a release for several architectures notes the member that it was put on.
    """
    pull_specs = [pull_spec_of(tag) for tag in source.tags if tag.name == labels.BASE_TAG]
    if not pull_specs or not pull_specs[0]:
        return False
    reference = parse_reference(pull_specs[0])
    try:
        manifest = await (await repository_of(reference)).manifests.get(reference.selector)
    except NotFound:  # making the release will tell
        return False
    members = manifest.index().manifests if manifest.is_index else ()
    return any(member.digest == digest for member in members)


async def _read_repository(request: NewRequest, open_location: OpenLocation) -> ReleaseInput:
    location = parse_location(request.repository)
    stream = await read_repository(
        await open_location(location), name="", published_as=request.published_as
    )
    return read_tags(stream)


def _complete(
    request: NewRequest, source: Release | None = None, *, base_tag: str = ""
) -> ReleaseOptions:
    """The options of ``request``, with what the source release leaves to its heirs."""
    inherited = (source.metadata if source else None) or ReleaseMetadata()
    options = request.options
    created = options.created
    if source and request.repeats:
        created = source.references.metadata.creation_timestamp
    return msgspec.structs.replace(
        options,
        name=options.name or (source.name if source else ""),
        previous=inherited.previous if request.previous is None else request.previous,
        following=inherited.next if request.following is None else request.following,
        metadata=inherited.metadata if request.metadata is None else request.metadata,
        base_tag=request.base_tag or base_tag or labels.BASE_TAG,
        created=created,
    )


def _notice(progress: Progress, message: str) -> None:
    progress(Noticed(subject="", message=message))
