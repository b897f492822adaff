# SPDX-License-Identifier: Apache-2.0
"""Publishing the images of a release as tags of an image stream in the cluster.

All tags change in one update, which the cluster refuses when somebody else changed the stream
meanwhile; tags that the release does not have stay. The annotation ``source-STREAM`` says which
release the tags are of.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable

from okd_payload.cluster import Cluster
from okd_payload.controller.model import FrozenInput
from okd_payload.controller.publishing.publisher import PublishContext
from okd_payload.controller.publishing.stream_update import WantedTag, update_stream
from okd_payload.controller.publishing.tagging import namespace_of
from okd_payload.controller.records import releases
from okd_payload.controller.surroundings import Surroundings
from okd_payload.errors import InputError
from okd_payload.imagestream.openshift import DOCKER_IMAGE

SOURCE_ANNOTATION = "release.openshift.io/source-"


class ImageStreamPublisher:
    """Points tags of image streams at the images of releases."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings

    async def publish(self, context: PublishContext) -> str:
        """Point the tags of each target at the images. Raises InputError without a cluster."""
        cluster = self._surroundings.cluster
        if cluster is None:
            raise InputError(
                f"{context.action.name} publishes to an image stream, and no cluster is known here",
                hint="start with --cluster, or in a pod of the cluster",
            )
        images = await self._surroundings.database.read(
            lambda unit: releases.read_inputs(unit, context.release.name)
        )
        wanted = choose_images(images, context.action.tags, context.action.exclude)
        for target in context.action.targets:
            await self._publish(cluster, context, target, wanted)
        return ", ".join(context.action.targets)

    async def _publish(
        self, cluster: Cluster, context: PublishContext, target: str, images: list[FrozenInput]
    ) -> None:
        namespace, _, name = target.rpartition("/")
        namespace = namespace or namespace_of(context.configuration)
        tags = {
            image.tag: WantedTag(
                name=image.tag,
                kind=DOCKER_IMAGE,
                source=image.reference,
                reference_policy="Source",
            )
            for image in images
        }
        await update_stream(
            cluster,
            name,
            tags,
            namespace=namespace,
            annotation=(SOURCE_ANNOTATION + context.configuration.name, context.release.name),
        )


def choose_images(
    images: Iterable[FrozenInput], included: tuple[str, ...], excluded: tuple[str, ...]
) -> list[FrozenInput]:
    """Those of ``images`` that are published: all without ``included``, none of ``excluded``."""
    return [
        image
        for image in images
        if (not included or _matches(image.tag, included)) and not _matches(image.tag, excluded)
    ]


def _matches(tag: str, globs: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(tag, glob) for glob in globs)
