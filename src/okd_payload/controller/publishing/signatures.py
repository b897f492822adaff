# SPDX-License-Identifier: Apache-2.0
"""Whether somebody else has signed a release: looked for in stores, judged by keys of ours.

What a release says of its own keys proves nothing, so a gate that trusts foreign signatures
names the keys itself.
"""

from __future__ import annotations

from pathlib import Path

from okd_payload.controller.configuration.model import Gate, StreamConfiguration
from okd_payload.controller.creation.places import open_releases
from okd_payload.controller.model import Release
from okd_payload.controller.publishing.publisher import Documents
from okd_payload.controller.surroundings import Surroundings
from okd_payload.oci.image import read_image


class StoredSignatures:
    """Looks for good signatures of releases."""

    def __init__(self, surroundings: Surroundings, documents: Documents) -> None:
        self._surroundings = surroundings
        self._documents = documents

    async def has_signed(
        self, configuration: StreamConfiguration, gate: Gate, release: Release
    ) -> bool:
        """Whether every digest of ``release`` has a signature that ``gate`` trusts.

        Raises what reading the release or a key raises.
        """
        if not gate.keys or not gate.stores:
            return False
        from okd_payload.release.sign.sign import find_digests
        from okd_payload.release.verify.signatures import open_signatures, verify_signatures
        from okd_payload.release.verify.trust import read_trust

        trust = read_trust([Path(key) for key in gate.keys], [])
        if trust is None:
            return False
        repository = await open_releases(self._surroundings, configuration)
        image = await read_image(repository, release.digest or release.name)
        found = await verify_signatures(
            find_digests(image),
            trust,
            open_signatures([], gate.stores, self._documents),
            clock=self._surroundings.clock,
        )
        return all(each.accepted for each in found.digests)
