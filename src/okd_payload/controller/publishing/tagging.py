# SPDX-License-Identifier: Apache-2.0
"""Publishing by a tag: a name that always means the newest release that may be had by it.

In the repository of the releases the tag leads to the release's own manifest. Where releases are
tags of an image stream in the cluster, the tag follows the tag of the release, written as
OpenShift's controller writes it.
"""

from __future__ import annotations

from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.controller.creation.places import open_releases
from okd_payload.controller.publishing.publisher import PublishContext
from okd_payload.controller.publishing.stream_update import WantedTag, update_stream
from okd_payload.controller.surroundings import Surroundings
from okd_payload.errors import InputError
from okd_payload.oci.repository import stat_manifest


class TagPublisher:
    """Points tags at releases."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings

    async def publish(self, context: PublishContext) -> str:
        """Point each of the tags at the release. Raises OkdPayloadError.

        InputError where a tag is the release's own name.
        """
        configuration, release = context.configuration, context.release
        targets = context.action.targets
        if release.name in targets:
            raise InputError(
                f"the tag {release.name} is a release itself, and no name to publish under",
                hint="publish under a name that stays, as in 4.20",
            )
        cluster, namespace = self._surroundings.cluster, namespace_of(configuration)
        if cluster is not None and configuration.target and namespace:
            follows = {
                tag: WantedTag(name=tag, kind="ImageStreamTag", source=release.name)
                for tag in targets
            }
            await update_stream(cluster, configuration.target, follows, namespace=namespace)
            return ", ".join(f"{namespace}/{configuration.target}:{tag}" for tag in targets)
        repository = await open_releases(self._surroundings, configuration)
        manifest = await repository.manifests.get(release.digest or release.name)
        for tag in targets:
            there = await stat_manifest(repository.manifests, tag)
            if there is None or there.digest != manifest.digest:
                await repository.manifests.put(manifest, tag=tag)
        return ", ".join(f"{configuration.releases_name}:{tag}" for tag in targets)


def namespace_of(configuration: StreamConfiguration) -> str:
    """The namespace of the image streams of a stream that is in a cluster; empty elsewhere."""
    return configuration.input.image_stream.rpartition("/")[0]
