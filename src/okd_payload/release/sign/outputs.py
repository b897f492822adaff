# SPDX-License-Identifier: Apache-2.0
"""Signatures as files: ConfigMaps for clusters without a way to any store, and a single one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from okd_payload.errors import InputError
from okd_payload.oci.digest import Digest
from okd_payload.release.output_file import write_output
from okd_payload.release.sign.sign import Signature
from okd_payload.signing.signature_config_map import signature_config_map, signature_file_name


def write_config_maps(signatures: Sequence[Signature], path: Path) -> None:
    """Write one ConfigMap for each digest: all into the file ``path``, or each into the folder.

    In a folder the files have the names that ``oc adm release mirror`` gives them. Raises
    StorageError.
    """
    by_digest: dict[Digest, list[bytes]] = {}
    for signature in signatures:
        by_digest.setdefault(signature.digest, []).append(signature.message)
    maps = {digest: signature_config_map(digest, found) for digest, found in by_digest.items()}
    if path.is_dir():
        for digest, content in maps.items():
            write_output(path / signature_file_name(digest), content)
    else:
        write_output(path, b"".join(maps.values()))


def require_single(signatures: Sequence[Signature]) -> None:
    """Raise InputError unless there is exactly one signature, as for one file."""
    if len(signatures) != 1:
        raise InputError(
            f"there are {len(signatures)} signatures, and one file named for them",
            hint="--to-store DIR writes each to a file of its own",
        )


def write_signature(signature: Signature, path: Path) -> None:
    """Write ``signature`` to ``path``. Raises StorageError."""
    write_output(path, signature.message)
