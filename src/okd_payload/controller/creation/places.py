# SPDX-License-Identifier: Apache-2.0
"""Where the images that a payload names are read: what is kept here, from here.

A layout has no name that a registry would know, so pull specs name what it will be published as;
whoever reads images by their pull specs has to be led back to it.
"""

from __future__ import annotations

from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.controller.surroundings import Repositories
from okd_payload.oci.location import RegistryLocation, parse_location
from okd_payload.oci.reference import Reference
from okd_payload.oci.repository import Repository
from okd_payload.release.new.images import RepositoryOf


def open_by_name(repositories: Repositories, configuration: StreamConfiguration) -> RepositoryOf:
    """What opens the repository of a pull spec, as the payloads of the stream have them."""

    async def repository_of(reference: Reference) -> Repository:
        if configuration.content and reference.repository == configuration.content_name:
            return await repositories.open_target(parse_location(configuration.content))
        if configuration.releases and reference.repository == configuration.releases_name:
            return await repositories.open_target(parse_location(configuration.releases))
        return await repositories.open_location(RegistryLocation(reference))

    return repository_of


async def open_releases(
    repositories: Repositories, configuration: StreamConfiguration
) -> Repository:
    """The repository whose tags are the releases, to be written."""
    return await repositories.open_target(parse_location(configuration.releases))
