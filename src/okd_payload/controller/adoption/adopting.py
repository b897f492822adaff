# SPDX-License-Identifier: Apache-2.0
"""Taking over releases that somebody put into a stable stream.

A release begins when its tag is seen, and is ready when its images are kept and it is called what
its tag says; a payload that calls itself otherwise is made again under the name of the tag, where
the stream allows that. The tag's first digest is remembered, so that a tag that is pushed again
changes no release.
"""

from __future__ import annotations

import datetime as dt
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
from okd_payload.controller.creation.making import MadePayload, warnings_of
from okd_payload.controller.creation.places import open_by_name, open_releases
from okd_payload.controller.graph.facts import facts_of
from okd_payload.controller.model import FrozenInput, PayloadFacts, Release
from okd_payload.controller.reconciling.actions import Adopt, Rename, Taken
from okd_payload.controller.records import releases, removals
from okd_payload.controller.surroundings import Surroundings
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
    surroundings: Surroundings, configuration: StreamConfiguration, release: Release
) -> MadePayload:
    """The payload of ``release``, with its images kept, under the name of its tag.

    Raises ReleaseError for what is no payload, or has another name that may not be changed;
    RegistryError and PartlyDone when trying again may help.
    """
    payload = await _find_payload(surroundings, configuration, release)
    images = _images_of(payload)
    if configuration.content:
        images = await keep_images(surroundings, configuration, images)
    if _names(payload) == {release.name}:
        if payload.digest is None:
            raise ReleaseError(f"{release.name} is no image")
        pull_spec = release.pull_spec.partition("@")[0] + f"@{payload.digest}"
        return MadePayload(
            digest=payload.digest,
            pull_spec=pull_spec,
            images=images,
            facts=_facts(release, payload, payload.digest, pull_spec),
        )
    if not configuration.rewrite:
        raise ReleaseError(
            f"the payload calls itself {', '.join(sorted(_names(payload)))}, not {release.name}",
            hint="push it under its own name, or let the stream rewrite names",
        )
    return await _rewrite(surroundings, configuration, release, payload, images=images)


async def _rewrite(
    surroundings: Surroundings,
    configuration: StreamConfiguration,
    release: Release,
    payload: Payload,
    *,
    images: tuple[FrozenInput, ...],
) -> MadePayload:
    metadata = payload.metadata
    checked = await make_checked(
        read_tags_of(payload),
        options=ReleaseOptions(
            name=release.name,
            previous=metadata.previous if metadata else (),
            following=metadata.next if metadata else (),
            metadata=metadata.metadata if metadata else {},
            included=frozenset(tag.name for tag in payload.tags),
            created=dt.datetime.fromtimestamp(int(release.created), tz=dt.UTC),
        ),
        target=await open_releases(surroundings, configuration),
        repository_of=open_by_name(surroundings, configuration),
        keep_lists=len(configuration.architectures) > 1,
        progress=surroundings.progress,
    )
    if checked.release is None:
        blocking = [issue for issue in checked.issues if issue.blocks]
        raise ReleaseError(
            f"it cannot be made again as {release.name}: "
            + "; ".join(issue.message for issue in blocking),
            hint="push a payload that has the name of its tag",
        )
    digest = checked.release.digest
    pull_spec = f"{configuration.releases_name}@{digest}"
    return MadePayload(
        digest=digest,
        pull_spec=pull_spec,
        images=images,
        facts=facts_of(
            release,
            digest=digest,
            pull_spec=pull_spec,
            metadata=checked.release.payload.metadata,
            references=checked.release.references,
        ),
        warnings=warnings_of(checked.issues),
    )


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
    surroundings: Surroundings, configuration: StreamConfiguration, release: Release
) -> Payload:
    """The payload as it was first seen, or as an interrupted rewriting left it."""
    reference = parse_reference(release.pull_spec)
    if reference.repository == configuration.releases_name:
        repository = await open_releases(surroundings, configuration)
    else:
        repository = await surroundings.open_location(RegistryLocation(reference))
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
