# SPDX-License-Identifier: Apache-2.0
"""Publishing by copies: the payload and all its images, with signatures, in other repositories.

At each target the release comes last, so whoever finds it there can install it. A target that is
away is asked once and not for every image, keeps no other from being filled, and what is there
already is not sent again.
"""

from __future__ import annotations

from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.controller.creation.places import open_by_name, open_releases
from okd_payload.controller.publishing.publisher import PublishContext
from okd_payload.controller.surroundings import Surroundings
from okd_payload.errors import OkdPayloadError, PartlyDone
from okd_payload.oci.location import parse_location
from okd_payload.oci.repository import stat_manifest
from okd_payload.oci.transfer import ImageCopier
from okd_payload.release.load import Release as LoadedRelease
from okd_payload.release.load import load_release
from okd_payload.release.mirror.plan import plan_mirror
from okd_payload.release.mirror.report import failure_lines
from okd_payload.release.mirror.run import Source, carry_out, open_copies
from okd_payload.release.mirror.targets import MirrorTarget, parse_target, without_tag


class CopyPublisher:
    """Copies releases to repositories."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings

    async def publish(self, context: PublishContext) -> str:
        """Copy the payload to every target; raises PartlyDone for those that lack something."""
        repository = await open_releases(self._surroundings, context.configuration)
        selector = context.release.digest or context.release.name
        release = await load_release(repository, selector)
        source = Source(repository, parse_location(context.configuration.releases))
        copier = ImageCopier(progress=self._surroundings.progress)
        failures = []
        for text in context.action.targets:
            try:
                target = parse_target(text, folder=self._surroundings.state)
                failures += await self._copy(
                    release, source, target, copier=copier, configuration=context.configuration
                )
            except OkdPayloadError as error:
                failures.append(f"{text}: {error.message}")
        if failures:
            raise PartlyDone("; ".join(failures), hint="the next attempt goes on with the rest")
        return ", ".join(context.action.targets)

    async def _copy(
        self,
        release: LoadedRelease,
        source: Source,
        target: MirrorTarget,
        *,
        copier: ImageCopier,
        configuration: StreamConfiguration,
    ) -> list[str]:
        plan = plan_mirror(release, [target])
        copies = await open_copies(
            plan,
            source,
            repository_of=open_by_name(self._surroundings, configuration),
            open_target=self._surroundings.open_target,
        )
        for place in plan.update_images:
            repository = await self._surroundings.open_target(without_tag(place))
            await stat_manifest(repository.manifests, plan.digest)
        return failure_lines((await carry_out(plan, copies, copier)).report)
