# SPDX-License-Identifier: Apache-2.0
"""From the images of a run to a release: which tags, under which name, stored where.

Payloads name images in the repository they will be published to; while nothing is published
they are read from the stream's own repository, which has the same bytes (``places``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping

import msgspec

from okd_payload.build.images import MadeImage
from okd_payload.build.plan import ExternalNode, Plan
from okd_payload.build.report import PayloadImage, ReleaseResult
from okd_payload.catalog.release_name import release_name
from okd_payload.catalog.stream import Stream
from okd_payload.imagestream.model import ImageStream, ImageStreamTag
from okd_payload.issues import Issue
from okd_payload.oci.repository import Repository
from okd_payload.release.inputs import (
    ReleaseInput,
    override,
    pull_spec_of,
    read_tags,
)
from okd_payload.release.new.assemble import AssembledRelease
from okd_payload.release.new.checked import make_checked
from okd_payload.release.new.images import RepositoryOf
from okd_payload.release.new.payload import ReleaseOptions


class ReleaseOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """A release, unless an issue blocked it, and everything that was found."""

    issues: tuple[Issue, ...]
    result: ReleaseResult | None = None


class ReleaseMaker:
    """Makes releases of one stream."""

    def __init__(
        self, stream: Stream, *, releases: Repository, repository_of: RepositoryOf
    ) -> None:
        """Releases are stored in ``releases``; images are read where ``repository_of`` says."""
        self._stream = stream
        self._releases = releases
        self._repository_of = repository_of

    async def make(
        self, given: ReleaseInput, *, time: int, included: Collection[str] = ()
    ) -> ReleaseOutcome:
        """The release of ``given``, stored, and tagged unless an issue blocks it.

        ``time`` goes into its name; the tags ``included`` stay although no operator lists them.
        Raises ReleaseError when there is nothing to make it of, and RegistryError.
        """
        options = ReleaseOptions(
            name=self.name_of(given, time=time),
            previous=self._stream.release.previous,
            base_tag=self._stream.release.base,
            included=frozenset(included),
        )
        checked = await make_checked(
            given,
            options=options,
            target=self._releases,
            repository_of=self._repository_of,
            permits=self._stream.permits,
        )
        result = self._describe(checked.release) if checked.release else None
        return ReleaseOutcome(result=result, issues=checked.issues)

    def name_of(self, given: ReleaseInput, *, time: int) -> str:
        """The name of a release of ``given``, by the pattern of the stream; never the clock's."""
        release = self._stream.release
        tags = [(tag.name, pull_spec_of(tag)) for tag in given.tags]
        facts = [tags, sorted(given.annotations.items()), release.previous, release.base]
        return release_name(
            release.name,
            stream=self._stream.name,
            version=release.version,
            time=time,
            inputs=hashlib.sha256(msgspec.json.encode(facts)).hexdigest(),
        )

    def _describe(self, release: AssembledRelease) -> ReleaseResult:
        return ReleaseResult(
            name=release.name,
            digest=release.digest,
            reference=f"{self._stream.release_repository}@{release.digest}",
            images=tuple(PayloadImage(tag.name, pull_spec_of(tag)) for tag in release.payload.tags),
        )

    def input_of(self, made: Mapping[str, MadeImage]) -> ReleaseInput:
        """``made`` as what a release is made of, under the pull specs it will be published as."""
        tags = tuple(
            ImageStreamTag(name=tag, digest=image.digest, reference=self._pull_spec(image))
            for tag, image in sorted(made.items())
        )
        return read_tags(ImageStream(name=self._stream.name, tags=tags))

    def input_over(self, base: ReleaseInput, made: Mapping[str, MadeImage]) -> ReleaseInput:
        """The images of the release ``base``, with those in ``made`` instead of theirs."""
        pull_specs = {tag: self._pull_spec(image) for tag, image in sorted(made.items())}
        return override(base, pull_specs)

    def _pull_spec(self, image: MadeImage) -> str:
        return f"{self._stream.content_repository}@{image.digest}"


def tagged_images(plan: Plan, made: Mapping[str, MadeImage]) -> dict[str, MadeImage]:
    """The images of ``made`` that are tags of the stream; what only builds needed is left out."""
    return {
        name: image
        for name, image in made.items()
        if not isinstance(plan.nodes[name], ExternalNode)
    }
