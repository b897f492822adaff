# SPDX-License-Identifier: Apache-2.0
"""Where an image is read, whatever repository its pull spec names.

Payloads name the repository that their images will be published to, and an image by digest is
the same wherever it is. So what this machine has is read here, and only the rest is asked of a
registry: nothing needs to be published to be built on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from okd_payload.errors import NotFound
from okd_payload.oci.digest import Digest
from okd_payload.oci.manifest import Descriptor
from okd_payload.oci.reference import Reference
from okd_payload.oci.repository import Repository

OpenRepository = Callable[[Reference], Awaitable[Repository]]
"""Gives the repository of a registry that a pull spec names."""


class Places:
    """Some repositories of this machine, and behind them all registries."""

    def __init__(self, near: Sequence[Repository], open_repository: OpenRepository) -> None:
        """``near`` are asked in their order, and only for digests: their tags mean other things."""
        self._near = tuple(near)
        self._open_repository = open_repository

    async def repository_of(self, reference: Reference) -> Repository:
        """The repository to read ``reference`` from. Raises RegistryError."""
        if reference.digest is not None:
            for repository in self._near:
                if await _has(repository, reference.digest):
                    return repository
        return await self._open_repository(reference)

    async def resolve(self, reference: Reference) -> Descriptor:
        """The manifest that ``reference`` means now. Raises RegistryError and ContentError."""
        repository = await self.repository_of(reference)
        return (await repository.manifests.get(reference.selector)).descriptor


async def _has(repository: Repository, digest: Digest) -> bool:
    try:
        await repository.manifests.get(digest)
    except NotFound:
        return False
    return True
