# SPDX-License-Identifier: Apache-2.0
"""Making the payload of a pending release: by our own tools, in this process or in a pod.

Everything that goes into it stands in the release's record, so it is the same whoever makes it
and however often: a kill at any moment, and the next attempt ends with the same digest. What is
wrong with the images is certain, and no attempt will change it; what a registry or disk does not
give now, it may give later. A payload that was made elsewhere is read back from where releases
are: all that is kept of it stands in it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.controller.creation.keeping import keep_images
from okd_payload.controller.graph.facts import facts_of
from okd_payload.controller.model import FrozenInput, PayloadFacts, Release
from okd_payload.controller.surroundings import Repositories
from okd_payload.errors import NotFound, ReleaseError
from okd_payload.imagestream.openshift import RawImageStream
from okd_payload.issues import Issue
from okd_payload.oci.digest import Digest
from okd_payload.oci.location import RegistryLocation, parse_location
from okd_payload.oci.reference import Reference
from okd_payload.oci.repository import Repository
from okd_payload.release import labels
from okd_payload.release.inputs import annotate, make_input, pull_spec_tag
from okd_payload.release.load import load_release
from okd_payload.release.metadata import ReleaseMetadata
from okd_payload.release.new.checked import make_checked
from okd_payload.release.new.payload import ReleaseOptions


class MadePayload(msgspec.Struct, frozen=True, kw_only=True):
    """A payload that is where releases are, and what it was made of."""

    digest: Digest
    pull_spec: str
    images: tuple[FrozenInput, ...]
    """The inputs, with the source and commit that their images tell."""
    facts: PayloadFacts
    """What the payload says of updates, for the graph."""
    warnings: str = ""
    """What was found and does not stand in the way."""


async def make_payload(
    repositories: Repositories,
    configuration: StreamConfiguration,
    release: Release,
    inputs: Sequence[FrozenInput],
) -> MadePayload:
    """The payload of ``release``, made of ``inputs`` and pushed under its name.

    Raises ReleaseError when the images make no payload, however often it is tried; RegistryError,
    PartlyDone and StorageError when trying again may help.
    """
    kept = await keep_images(repositories, configuration, inputs)
    near = await repositories.open_target(parse_location(configuration.content))

    async def repository_of(reference: Reference) -> Repository:
        if reference.repository == configuration.content_name:
            return near
        return await repositories.open_location(RegistryLocation(reference))

    given = make_input(pull_spec_tag(each.tag, each.reference) for each in kept)
    checked = await make_checked(
        annotate(given, {labels.FROM_IMAGE_STREAM: configuration.name}),
        options=ReleaseOptions(name=release.name, created=moment_of(release)),
        target=await repositories.open_target(parse_location(configuration.releases)),
        repository_of=repository_of,
        keep_lists=len(configuration.architectures) > 1,
        progress=repositories.progress,
    )
    if checked.release is None:
        blocking = [issue for issue in checked.issues if issue.blocks]
        raise ReleaseError(
            "; ".join(_tell(issue) for issue in blocking),
            hint="mend the images that are named; the next change of them makes a new release",
        )
    return _describe(
        configuration,
        release,
        kept,
        digest=checked.release.digest,
        metadata=checked.release.payload.metadata,
        references=checked.release.references,
        warnings=warnings_of(checked.issues),
    )


async def find_made(
    repositories: Repositories,
    configuration: StreamConfiguration,
    release: Release,
    inputs: Sequence[FrozenInput],
) -> MadePayload | None:
    """The payload of ``release`` as it was made elsewhere, None when it is not there.

    What stands under its name counts only when it is of the same moment, too. The inputs are
    held afterwards, as after ``make_payload``, whatever became of them meanwhile. Raises
    RegistryError and PartlyDone.
    """
    target = await repositories.open_target(parse_location(configuration.releases))
    try:
        found = await load_release(target, release.name)
    except NotFound:
        return None
    created = found.references.metadata.creation_timestamp
    is_ours = found.name == release.name and created == moment_of(release)
    if not is_ours or found.digest is None:
        return None
    return _describe(
        configuration,
        release,
        await keep_images(repositories, configuration, inputs),
        digest=found.digest,
        metadata=found.metadata,
        references=found.references,
    )


def warnings_of(issues: Iterable[Issue]) -> str:
    """Those of ``issues`` that do not block, for people."""
    return "; ".join(issue.message for issue in issues if not issue.blocks)


def moment_of(release: Release) -> dt.datetime:
    """The moment that the payload of ``release`` says it was made at."""
    return dt.datetime.fromtimestamp(int(release.created), tz=dt.UTC)


def _describe(
    configuration: StreamConfiguration,
    release: Release,
    kept: Sequence[FrozenInput],
    *,
    digest: Digest,
    metadata: ReleaseMetadata | None,
    references: RawImageStream,
    warnings: str = "",
) -> MadePayload:
    told = {tag.name: tag.annotations or {} for tag in references.spec.tags}
    pull_spec = f"{configuration.releases_name}@{digest}"
    return MadePayload(
        digest=digest,
        pull_spec=pull_spec,
        images=tuple(_with_source(each, told.get(each.tag, {})) for each in kept),
        facts=facts_of(
            release, digest=digest, pull_spec=pull_spec, metadata=metadata, references=references
        ),
        warnings=warnings,
    )


def _with_source(image: FrozenInput, told: Mapping[str, str]) -> FrozenInput:
    return msgspec.structs.replace(
        image, source=told.get(labels.SOURCE, ""), commit=told.get(labels.COMMIT_ID, "")
    )


def _tell(issue: Issue) -> str:
    return f"{issue.component}: {issue.message}" if issue.component else issue.message
