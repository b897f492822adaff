# SPDX-License-Identifier: Apache-2.0
"""From the images of a run to a release: which tags, under which name, stored where.

Payloads name images in the repository they will be published to; while nothing is published
they are read from the stream's own repository, which has the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping

import msgspec

from okd_payload.build.images import MadeImage
from okd_payload.build.plan import ExternalNode, Plan
from okd_payload.build.report import PayloadImage, ReleaseResult
from okd_payload.catalog.release_name import release_name
from okd_payload.catalog.stream import Stream
from okd_payload.imagestream.model import ImageStream, ImageStreamTag
from okd_payload.issues import Issue, apply_permits
from okd_payload.oci.digest import Digest
from okd_payload.oci.reference import Reference
from okd_payload.oci.repository import Repository
from okd_payload.release.assemble import (
    AssembledRelease,
    assemble_payload,
    find_base,
    permit,
    put_on_base,
)
from okd_payload.release.inputs import (
    ReleaseInput,
    make_input,
    override,
    pull_spec_of,
    read_tags,
)
from okd_payload.release.labels import FROM_RELEASE
from okd_payload.release.lint import lint_base, lint_images, lint_release
from okd_payload.release.load import Release, read_release
from okd_payload.release.payload import ReleaseOptions
from okd_payload.release.publish import publish_release

OpenRepository = Callable[[Reference], Awaitable[Repository]]


class ReleaseOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """A release, unless an issue blocked it, and everything that was found."""

    issues: tuple[Issue, ...]
    result: ReleaseResult | None = None


class ReleaseMaker:
    """Makes releases of one stream."""

    def __init__(
        self,
        stream: Stream,
        *,
        content: Repository,
        releases: Repository,
        open_repository: OpenRepository,
    ) -> None:
        """``content`` and ``releases`` stand for the repositories that the stream publishes to."""
        self._stream = stream
        self._content = content
        self._releases = releases
        self._open_repository = open_repository

    async def repository_of(self, reference: Reference) -> Repository:
        """Where the image of ``reference`` is read."""
        if reference.repository == self._stream.content_repository:
            return self._content
        if reference.repository == self._stream.release_repository:
            return self._releases
        return await self._open_repository(reference)

    def name(self, given: ReleaseInput, *, time: int) -> str:
        """The name of a release of ``given``, by the pattern of the stream; never the clock's."""
        facts = [(tag.name, pull_spec_of(tag)) for tag in given.tags]
        return release_name(
            self._stream.release.name,
            stream=self._stream.name,
            version=self._stream.release.version,
            time=time,
            inputs=hashlib.sha256(msgspec.json.encode(facts)).hexdigest(),
        )

    async def make(self, given: ReleaseInput, *, time: int) -> ReleaseOutcome:
        """The release of ``given``: stored, read back, checked, and tagged if nothing blocks it.

        ``time`` goes into its name. Raises ReleaseError when there is nothing to make it of.
        """
        release = self._stream.release
        options = ReleaseOptions(
            name=self.name(given, time=time), previous=release.previous, base_tag=release.base
        )
        payload = await assemble_payload(given, options=options, repository_of=self.repository_of)
        payload = permit(payload, self._stream.permits)
        if not payload.is_sound:
            return ReleaseOutcome(issues=payload.issues)
        assembled = await put_on_base(
            payload, find_base(given, options), repository_of=self.repository_of
        )
        await publish_release(assembled, self._releases, tag=None, repository_of=self.repository_of)
        issues = (*payload.issues, *await self._check(assembled.digest))
        if any(issue.blocks for issue in issues):
            return ReleaseOutcome(issues=issues)
        await self._releases.manifests.put(assembled.image.manifest, tag=assembled.name)
        return ReleaseOutcome(result=self._describe(assembled), issues=issues)

    async def _check(self, digest: Digest) -> list[Issue]:
        """Every issue of the stored release, read back as a cluster would."""
        content = await read_release(self._releases, digest)
        found = lint_release(content)
        found += await lint_base(content, self._releases)
        found += await lint_images(content, self.repository_of)
        return apply_permits(found, self._stream.permits)

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

    def input_over(
        self, release: Release, made: Mapping[str, MadeImage], *, origin: str
    ) -> ReleaseInput:
        """The images of ``release``, whose pull spec is ``origin``, with those in ``made``."""
        annotations = {**(release.references.metadata.annotations or {}), FROM_RELEASE: origin}
        given = make_input(release.tags, annotations=annotations)
        pull_specs = {tag: self._pull_spec(image) for tag, image in sorted(made.items())}
        return override(given, pull_specs)

    def _pull_spec(self, image: MadeImage) -> str:
        return f"{self._stream.content_repository}@{image.digest}"


def tagged_images(plan: Plan, made: Mapping[str, MadeImage]) -> dict[str, MadeImage]:
    """The images of ``made`` that are tags of the stream; what only builds needed is left out."""
    return {
        name: image
        for name, image in made.items()
        if not isinstance(plan.nodes[name], ExternalNode)
    }
