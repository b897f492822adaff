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
from okd_payload.issues import Issue, Severity, apply_permits
from okd_payload.oci.digest import Digest
from okd_payload.oci.repository import Repository
from okd_payload.release.inputs import (
    ReleaseInput,
    override,
    pull_spec_of,
    read_tags,
)
from okd_payload.release.lint.base import lint_base
from okd_payload.release.lint.check import BUILD_CHECKS, lint_images, lint_release
from okd_payload.release.load import read_release
from okd_payload.release.new.assemble import (
    AssembledRelease,
    assemble_payload,
    find_base,
    permit,
    put_on_base,
)
from okd_payload.release.new.images import RepositoryOf
from okd_payload.release.new.payload import ReleaseOptions
from okd_payload.release.new.publish import publish_release


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
        payload = await assemble_payload(given, options=options, repository_of=self._repository_of)
        payload = permit(payload, self._stream.permits)
        if not payload.is_sound:
            return ReleaseOutcome(issues=payload.issues)
        assembled = await put_on_base(
            payload, find_base(given, options), repository_of=self._repository_of
        )
        await publish_release(
            assembled, self._releases, tag=None, repository_of=self._repository_of
        )
        issues = (*payload.issues, *await self._check(assembled.digest))
        if any(issue.blocks for issue in issues):
            return ReleaseOutcome(issues=issues)
        await self._releases.manifests.put(assembled.image.manifest, tag=assembled.name)
        return ReleaseOutcome(result=self._describe(assembled), issues=issues)

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

    async def _check(self, digest: Digest) -> list[Issue]:
        """Every issue of the stored release, read back as a cluster would."""
        content = await read_release(self._releases, digest)
        found = lint_release(content, checks=BUILD_CHECKS)
        found += await lint_base(content, self._releases)
        found += await lint_images(content, self._repository_of)
        issues = [issue for issue in found if issue.severity is not Severity.NOTICE]
        return apply_permits(issues, self._stream.permits)

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
