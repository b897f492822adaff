# SPDX-License-Identifier: Apache-2.0
"""The signatures of a mirrored release, as the ConfigMaps that disconnected clusters need.

They are looked for by the digest that clusters will ask for, and by those of an index's members.
Here they are found and carried, not judged: clusters do that, and ``release verify``. A release
without any is mirrored all the same, with a warning.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from okd_payload.oci.documents import DocumentAsker
from okd_payload.release.load import Release

CARRIED_FOLDER = "config"
"""Where a directory that is carried has its signatures."""
_NOTHING_CONFIGURED = (
    "No release authenticity verification is configured, all releases are considered unverified"
)


class FoundSignatures(msgspec.Struct, frozen=True, kw_only=True):
    """What there is, as files by their names, and what should be known about it."""

    files: dict[str, bytes] = {}
    warnings: tuple[str, ...] = ()


async def find_signatures(
    release: Release, stores: Sequence[str], asker: DocumentAsker, *, carried: Path | None = None
) -> FoundSignatures:
    """Signatures in ``stores``, or else where the release says, and in the folder ``carried``.

    Raises InputError for a store that has no address, InvalidDocument for a file in ``carried``.
    """
    # Reading keys takes long to import, and few releases are mirrored with signatures.
    from okd_payload.release.sign.sign import find_digests
    from okd_payload.release.verify.signatures import open_signatures
    from okd_payload.release.verify.trust import own_stores
    from okd_payload.signing.signature_config_map import signature_config_map, signature_file_name
    from okd_payload.signing.stores import read_signatures

    if release.content.image is None:
        return FoundSignatures()
    places = tuple(stores) or own_stores(release.content)
    files = _config_maps_in(carried) if carried else []
    if not places and not files:
        return FoundSignatures(warnings=(_NOTHING_CONFIGURED,))
    store = open_signatures(files, places, asker)
    found = {}
    warnings = []
    for wanted in find_digests(release.content.image):
        signatures = await read_signatures(store, wanted.digest)
        contents = list(dict.fromkeys(signature.content for signature in signatures))
        if contents:
            found[signature_file_name(wanted.digest)] = signature_config_map(
                wanted.digest, contents
            )
        elif not wanted.platform:
            looked_in = ", ".join([*map(str, files), *places])
            warnings.append(f"no signature of {wanted.digest} was found in {looked_in}")
    return FoundSignatures(files=found, warnings=tuple(warnings))


def _config_maps_in(folder: Path) -> list[Path]:
    return sorted(folder.glob("signature-*.json")) if folder.is_dir() else []
