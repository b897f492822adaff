# SPDX-License-Identifier: Apache-2.0
"""Whom the caller trusts, and where signatures are looked for.

Keys come from the caller alone: what a release says about its own keys proves nothing. Addresses
of stores may come from the release, because a signature is good or not wherever it lies.

Key files are one ring, of which any key suffices. A key ring manifest, as ``cluster-update-keys``
ships it, asks for every one of its entries, as a cluster does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from okd_payload.documents.files import read_file
from okd_payload.errors import InvalidDocument
from okd_payload.release.load import ReleaseContent
from okd_payload.release.sign.keyring import read_config_maps, read_key_ring_file
from okd_payload.signing.config_map import ConfigMap
from okd_payload.signing.configuration import (
    ANNOTATION,
    Configuration,
    UnusableConfiguration,
    find_configuration,
    load_configuration,
)
from okd_payload.signing.detached import read_public_keys
from okd_payload.signing.openpgp.faults import OpenPgpError
from okd_payload.signing.openpgp.keyring import KeyRing, read_key_ring

KEY_FILES = "the keys given"
"""What the ring of key files is called where entries of a manifest have their names."""
MAX_KEY_BYTES = 1024 * 1024


class Trust(msgspec.Struct, frozen=True, kw_only=True):
    """The rings that a release must satisfy, and everything that its archives may be signed by."""

    configuration: Configuration
    keys: tuple[bytes, ...]
    """The same keys, each file or entry as it was given."""


def read_trust(key_files: Sequence[Path], key_rings: Sequence[Path]) -> Trust | None:
    """What the files say, None without any. Raises InvalidDocument.

    A key that clusters cannot read is refused: its signatures could not be judged.
    """
    if not key_files and not key_rings:
        return None
    rings: dict[str, KeyRing] = {}
    stores: dict[str, str] = {}
    keys: list[bytes] = []
    for path in key_rings:
        configuration, texts = _read_manifest(path)
        for name, ring in configuration.rings.items():
            rings[name if len(key_rings) == 1 else f"{path}: {name}"] = ring
        stores |= {f"{path}: {name}": url for name, url in configuration.stores.items()}
        keys += texts
    if key_files:
        contents = [_read_key(path) for path in key_files]
        read = [_read_ring(item, path) for item, path in zip(contents, key_files, strict=True)]
        rings[KEY_FILES] = KeyRing(
            certificates=tuple(certificate for ring in read for certificate in ring.certificates)
        )
        keys += contents
    configuration = Configuration(source="the command line", rings=rings, stores=stores)
    return Trust(configuration=configuration, keys=tuple(keys))


def own_stores(content: ReleaseContent) -> tuple[str, ...]:
    """The addresses where a release says that signatures are; none where it says nothing."""
    try:
        configuration = find_configuration(_config_maps_of(content))
    except UnusableConfiguration:
        return ()
    return tuple(configuration.stores.values()) if configuration else ()


def _config_maps_of(content: ReleaseContent) -> Iterable[ConfigMap]:
    """The ConfigMaps of a release that may say something about keys."""
    for text in content.manifests.values():
        if ANNOTATION.encode() in text:
            yield from read_config_maps(text)


def _read_manifest(path: Path) -> tuple[Configuration, list[bytes]]:
    config_map = read_key_ring_file(path)
    try:
        configuration = load_configuration(config_map)
    except UnusableConfiguration as error:
        raise InvalidDocument(error.message, path=str(path), hint=error.hint) from error
    return configuration, [config_map.data[name].encode() for name in configuration.rings]


def _read_key(path: Path) -> bytes:
    content = read_file(path, limit=MAX_KEY_BYTES)
    read_public_keys(content, path=str(path))
    return content


def _read_ring(content: bytes, path: Path) -> KeyRing:
    try:
        ring = read_key_ring(content)
    except OpenPgpError as error:
        raise _unusable(path, error.message) from error
    for lost in ring.dropped:
        raise _unusable(path, lost.cause)
    return ring


def _unusable(path: Path, reason: str) -> InvalidDocument:
    return InvalidDocument(
        f"clusters cannot use this key: {reason}",
        path=str(path),
        hint="clusters read RSA keys; several keys in one file must be armoured once",
    )
