# SPDX-License-Identifier: Apache-2.0
"""Taking over releases that somebody put into a stable stream.

A release begins when its tag is seen, and is ready when its images are kept and it is called what
its tag says; a payload that calls itself otherwise is made again under the name of the tag, where
the stream allows that. The tag's first digest is remembered, so that a tag that is pushed again
changes no release.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping

import msgspec
from sqlalchemy import Connection

from okd_payload.controller.adoption.deciding import (
    NEXT,
    AdoptionPlan,
    Renaming,
    SeenTag,
    plan_adoption,
)
from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.controller.creation.keeping import keep_images
from okd_payload.controller.creation.making import MadePayload, moment_of, warnings_of
from okd_payload.controller.creation.places import open_by_name, open_releases
from okd_payload.controller.graph.facts import facts_of
from okd_payload.controller.model import FrozenInput, PayloadFacts, Release
from okd_payload.controller.reconciling.actions import Adopt, Rename, Taken
from okd_payload.controller.records import releases, removals
from okd_payload.controller.surroundings import Repositories, Surroundings
from okd_payload.errors import NotFound, ReleaseError
from okd_payload.imagestream.cluster import read_cluster_tags
from okd_payload.oci.digest import Digest
from okd_payload.oci.location import RegistryLocation
from okd_payload.oci.reference import parse_reference
from okd_payload.oci.repository import RemovesTags, stat_manifest
from okd_payload.release import labels
from okd_payload.release.load import Release as Payload
from okd_payload.release.load import load_release
from okd_payload.release.mirror.plan import find_components
from okd_payload.release.new.checked import make_checked
from okd_payload.release.new.payload import ReleaseOptions
from okd_payload.release.new.sources import read_tags_of
from okd_payload.release.semver import is_version

Write = Callable[[Callable[[Connection], None]], Awaitable[None]]

_WATCHED = 5
"""Known releases whose tags are looked at again: a stable stream may have hundreds."""


async def adopt_new(
    surroundings: Surroundings, configuration: StreamConfiguration, *, write: Write
) -> str:
    """Begin a release for each new tag of the stream; what people should mend.

    Raises what reading the tags raises.
    """
    plan = await look_for_new(surroundings, configuration)
    if plan.renaming is not None:
        renamed = Rename(release=plan.renaming.name, reason="the tag next was found")
        surroundings.progress(Taken(subject=configuration.name, action=renamed))
        await _rename(surroundings, configuration, plan.renaming)
    now = surroundings.clock.now()
    for tag in plan.adopted:
        adopted = Adopt(release=tag.name, reason="its tag was found")
        surroundings.progress(Taken(subject=configuration.name, action=adopted))
        release = Release(
            name=tag.name,
            stream=configuration.name,
            created=now,
            changed=now,
            input_hash=tag.digest,
            pull_spec=tag.pull_spec,
            adopted=True,
            message="its tag was found",
        )
        await write(lambda unit, release=release: _begin(unit, release))  # type: ignore[misc]  # a default is how a loop's value is bound
    return plan.trouble


async def look_for_new(
    surroundings: Surroundings, configuration: StreamConfiguration
) -> AdoptionPlan:
    """What there is to take over; nothing is written."""
    known, removed = await surroundings.database.read(_read_names)
    tags = await _read_tags(surroundings, configuration, known)
    reserved = {
        target
        for stream in surroundings.configurations().values()
        if stream.releases == configuration.releases
        for action in stream.publications
        if action.kind == "tag"
        for target in action.targets
    }
    return plan_adoption(tags, known, stream=configuration.name, removed=removed, reserved=reserved)


async def take_over(
    repositories: Repositories, configuration: StreamConfiguration, release: Release
) -> MadePayload:
    """The payload of ``release``, with its images kept, under the name of its tag.

    Raises ReleaseError for what is no payload, or has another name that may not be changed;
    RegistryError and PartlyDone when trying again may help.
    """
    payload = await _find_payload(repositories, configuration, release)
    images = await _keep(repositories, configuration, payload)
    if _names(payload) == {release.name}:
        return _describe(release, payload, images=images, place=_place_of(release))
    if not configuration.rewrite:
        raise ReleaseError(
            f"the payload calls itself {', '.join(sorted(_names(payload)))}, not {release.name}",
            hint="push it under its own name, or let the stream rewrite names",
        )
    warnings = await _rewrite(repositories, configuration, release, payload)
    rewritten = await load_release(await open_releases(repositories, configuration), release.name)
    made = _describe(release, rewritten, images=images, place=configuration.releases_name)
    return msgspec.structs.replace(made, warnings=warnings)


async def find_taken_over(
    repositories: Repositories, configuration: StreamConfiguration, release: Release
) -> MadePayload | None:
    """The payload of ``release`` as it was taken over elsewhere, None where it has not its name.

    Its images are held afterwards, as after ``take_over``. Raises as that does.
    """
    payload = await _find_payload(repositories, configuration, release)
    place = _place_of(release)
    if _names(payload) != {release.name}:
        rewritten = await _find_rewritten(repositories, configuration, release)
        if rewritten is None:
            return None
        payload, place = rewritten, configuration.releases_name
    images = await _keep(repositories, configuration, payload)
    return _describe(release, payload, images=images, place=place)


async def _keep(
    repositories: Repositories, configuration: StreamConfiguration, payload: Payload
) -> tuple[FrozenInput, ...]:
    """The images of ``payload``, held where the stream keeps images, if it does."""
    images = _images_of(payload)
    if not configuration.content:
        return images
    return await keep_images(repositories, configuration, images)


async def _rewrite(
    repositories: Repositories,
    configuration: StreamConfiguration,
    release: Release,
    payload: Payload,
) -> str:
    """Make ``payload`` again under the name of its tag; what was found beside."""
    metadata = payload.metadata
    checked = await make_checked(
        read_tags_of(payload),
        options=ReleaseOptions(
            name=release.name,
            previous=metadata.previous if metadata else (),
            following=metadata.next if metadata else (),
            metadata=metadata.metadata if metadata else {},
            included=frozenset(tag.name for tag in payload.tags),
            created=moment_of(release),
        ),
        target=await open_releases(repositories, configuration),
        repository_of=open_by_name(repositories, configuration),
        keep_lists=len(configuration.architectures) > 1,
        progress=repositories.progress,
    )
    if checked.release is None:
        blocking = [issue for issue in checked.issues if issue.blocks]
        raise ReleaseError(
            f"it cannot be made again as {release.name}: "
            + "; ".join(issue.message for issue in blocking),
            hint="push a payload that has the name of its tag",
        )
    return warnings_of(checked.issues)


async def _find_rewritten(
    repositories: Repositories, configuration: StreamConfiguration, release: Release
) -> Payload | None:
    """What was made again under the name of the tag, where releases are; None before."""
    repository = await open_releases(repositories, configuration)
    try:
        found = await load_release(repository, release.name)
    except NotFound:
        return None
    is_ours = found.references.metadata.creation_timestamp == moment_of(release)
    return found if is_ours and _names(found) == {release.name} else None


def _describe(
    release: Release, payload: Payload, *, images: tuple[FrozenInput, ...], place: str
) -> MadePayload:
    """``payload``, which is in the repository ``place``. Raises ReleaseError for no image."""
    if payload.digest is None:
        raise ReleaseError(f"{release.name} is no image")
    pull_spec = f"{place}@{payload.digest}"
    return MadePayload(
        digest=payload.digest,
        pull_spec=pull_spec,
        images=images,
        facts=_facts(release, payload, payload.digest, pull_spec),
    )


def _place_of(release: Release) -> str:
    """The repository that the payload of ``release`` was seen in."""
    return release.pull_spec.partition("@")[0]


def _facts(release: Release, payload: Payload, digest: Digest, pull_spec: str) -> PayloadFacts:
    image = payload.content.image
    return facts_of(
        release,
        digest=digest,
        pull_spec=pull_spec,
        metadata=payload.metadata,
        references=payload.references,
        architecture=image.config.architecture if image else "",
    )


async def _find_payload(
    repositories: Repositories, configuration: StreamConfiguration, release: Release
) -> Payload:
    """The payload as it was first seen, or as an interrupted rewriting left it."""
    reference = parse_reference(release.pull_spec)
    if reference.repository == configuration.releases_name:
        repository = await open_releases(repositories, configuration)
    else:
        repository = await repositories.open_location(RegistryLocation(reference))
    try:
        tagged = await load_release(repository, release.name)
    except NotFound:
        tagged = None
    if tagged is not None and _names(tagged) == {release.name}:
        return tagged
    return await load_release(repository, release.input_hash)


def _names(payload: Payload) -> set[str]:
    """What the payload calls itself: in its label, and in its files."""
    image = payload.content.image
    label = image.config.labels.get(labels.RELEASE, "") if image else ""
    return {name for name in (payload.name, label) if name}


def _images_of(payload: Payload) -> tuple[FrozenInput, ...]:
    """The images that the payload names. Raises ReleaseError when one is not pinned."""
    told = {tag.name: tag.annotations or {} for tag in payload.tags}
    return tuple(
        FrozenInput(
            tag=name,
            digest=digest,
            reference=str(reference),
            source=told[name].get(labels.SOURCE, ""),
            commit=told[name].get(labels.COMMIT_ID, ""),
        )
        for name, (reference, digest) in sorted(find_components(payload.tags).items())
    )


async def _rename(
    surroundings: Surroundings, configuration: StreamConfiguration, renaming: Renaming
) -> None:
    """Give ``next`` its name; the release is begun when it is seen under that."""
    repository = await open_releases(surroundings, configuration)
    if renaming.name:
        manifest = await repository.manifests.get(renaming.digest)
        await repository.manifests.put(manifest, tag=renaming.name)
    if isinstance(repository.manifests, RemovesTags):
        await repository.manifests.untag(NEXT)


async def _read_tags(
    surroundings: Surroundings, configuration: StreamConfiguration, known: Mapping[str, Release]
) -> list[SeenTag]:
    if configuration.input.image_stream and surroundings.cluster is not None:
        namespace, _, name = configuration.input.image_stream.rpartition("/")
        stream = await read_cluster_tags(surroundings.cluster, name, namespace=namespace)
        return [
            SeenTag(name=tag.name, digest=tag.digest, pull_spec=tag.reference)
            for tag in stream.tags
        ]
    repository = await open_releases(surroundings, configuration)
    watched = _watched(known.values(), configuration.name)
    found = []
    for name in await repository.manifests.tags():
        if name != NEXT and not is_version(name):
            continue
        if name in known and name not in watched:
            continue
        seen = await stat_manifest(repository.manifests, name)
        if seen is not None:
            pull_spec = f"{configuration.releases_name}@{seen.digest}"
            found.append(SeenTag(name=name, digest=Digest(seen.digest), pull_spec=pull_spec))
    return found


def _watched(known: Iterable[Release], stream: str) -> set[str]:
    """The adopted releases whose tags are asked about: the newest, which people push again."""
    adopted = [each for each in known if each.adopted and each.stream == stream]
    adopted.sort(key=lambda each: (each.created, each.name), reverse=True)
    return {each.name for each in adopted[:_WATCHED]}


def _read_names(connection: Connection) -> tuple[dict[str, Release], dict[str, str]]:
    known = {each.name: each for each in releases.list_of(connection, withdrawn=None)}
    gone = removals.list_of(connection)
    return known, {each.release: each.digest or "" for each in gone if each.adopted}


def _begin(connection: Connection, release: Release) -> None:
    if releases.find(connection, release.name) is None:  # else another pass was quicker
        releases.create(connection, msgspec.structs.replace(release), ())
