# SPDX-License-Identifier: Apache-2.0
"""Where a release and its images are: in a repository of the controller, or in a registry.

Pull specs name repositories as clusters know them. Where one is a layout of this machine, the
configuration says by which name it is published.
"""

from __future__ import annotations

from okd_payload.controller.surroundings import Surroundings
from okd_payload.errors import NotFound
from okd_payload.oci.location import RegistryLocation, parse_location
from okd_payload.oci.reference import Reference, parse_reference
from okd_payload.oci.repository import Repository


class Places:
    """Opens what pull specs name."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings

    async def repository_of(self, reference: Reference) -> Repository:
        """The repository that ``reference`` lies in, to be read.

        Two layouts may be published under one name: then it is the one that has the image.
        """
        near = [
            await self._surroundings.open_location(parse_location(place))
            for place in self._places(reference.repository)
        ]
        for repository in near[:-1]:
            if await _has(repository, reference):
                return repository
        if near:
            return near[-1]
        return await self._surroundings.open_location(RegistryLocation(reference))

    def _places(self, name: str) -> list[str]:
        """The places of the controller that are published as ``name``."""
        found: dict[str, None] = {}
        for stream in self._surroundings.configurations().values():
            known = ((stream.content_name, stream.content), (stream.releases_name, stream.releases))
            found |= {place: None for published, place in known if place and published == name}
        return list(found)

    async def open_release(self, pull_spec: str) -> tuple[Repository, str]:
        """The repository of the release ``pull_spec``, and its tag or digest there."""
        reference = parse_reference(pull_spec)
        return await self.repository_of(reference), reference.selector


async def _has(repository: Repository, reference: Reference) -> bool:
    try:
        await repository.manifests.get(reference.selector)
    except NotFound:
        return False
    return True
