# SPDX-License-Identifier: Apache-2.0
"""The ConfigMap by which a release tells clusters whose releases to take after it.

A cluster judges the next release by the keys of its current one, so a new key has to ship one
release before it signs alone: a ring is made by adding to the one before. Within an entry any
key suffices, and every entry has to be satisfied.

The text is written as ``cluster-update-keys`` has it, with the annotations that include it in
clusters of every profile: without its profile's a cluster has no keys at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from okd_payload.documents.files import read_file
from okd_payload.errors import InvalidDocument, UnknownName
from okd_payload.release.objects import read_objects
from okd_payload.release.sign.certificates import (
    MAX_KEYS_BYTES,
    PublicKeyBytes,
    armour_keys,
    split_keys,
)
from okd_payload.signing.config_map import ConfigMap, decode_config_map
from okd_payload.signing.configuration import ANNOTATION, KEY_PREFIX, STORE_PREFIX

NAME, NAMESPACE = "release-verification", "openshift-config-managed"
FILE_NAME = "0000_90_cluster-update-keys_configmap.yaml"
"""What the file is called in an image of cluster-update-keys."""
_PROFILES = (
    "hypershift",
    "ibm-cloud-managed",
    "self-managed-high-availability",
    "single-node-developer",
)


class KeyRingManifest(msgspec.Struct, frozen=True, kw_only=True):
    """Entries with their keys, and stores, each by its name without the prefix."""

    entries: Mapping[str, tuple[PublicKeyBytes, ...]] = {}
    stores: Mapping[str, str] = {}

    def with_keys(self, entry: str, keys: Iterable[PublicKeyBytes]) -> KeyRingManifest:
        """The ring with ``keys`` behind those of ``entry``; a key that is there is renewed.

        A renewed key replaces the old copy: as long as one copy is not revoked, clusters take
        the key for good.
        """
        held = {key.fingerprint: key for key in self.entries.get(entry, ())}
        held |= {key.fingerprint: key for key in keys}
        return self._with_entry(entry, held.values())

    def without_key(self, fingerprint: str) -> KeyRingManifest:
        """The ring without the key, in whichever entry; empty entries go. Raises UnknownName."""
        wanted = fingerprint.replace(" ", "").upper().removeprefix("0X")
        known = [key.fingerprint for keys in self.entries.values() for key in keys]
        if wanted not in known:
            raise UnknownName("key", fingerprint, known=known)
        changed = self
        for entry, keys in self.entries.items():
            kept = [key for key in keys if key.fingerprint != wanted]
            changed = changed._with_entry(entry, kept)
        return changed

    def with_store(self, name: str, url: str) -> KeyRingManifest:
        """The ring with one more store."""
        return msgspec.structs.replace(self, stores={**self.stores, name: url})

    def _with_entry(self, entry: str, keys: Iterable[PublicKeyBytes]) -> KeyRingManifest:
        entries = {**self.entries, entry: tuple(keys)}
        return msgspec.structs.replace(
            self, entries={name: found for name, found in entries.items() if found}
        )


def read_config_maps(content: bytes) -> list[ConfigMap]:
    """The ConfigMaps among the objects of a manifest file, as a cluster reads them."""
    decoded = (decode_config_map(item.value) for item in read_objects(content).objects)
    return [config_map for config_map in decoded if config_map is not None]


def read_key_ring_file(path: Path) -> ConfigMap:
    """The first ConfigMap with keys in the file at ``path``. Raises InvalidDocument."""
    for config_map in read_config_maps(read_file(path, limit=MAX_KEYS_BYTES)):
        if ANNOTATION in config_map.annotations:
            return config_map
    raise InvalidDocument(
        f"no ConfigMap has the annotation {ANNOTATION}",
        path=str(path),
        hint="`okd-payload release keyring` writes such a file; a plain key goes with --key",
    )


def read_key_ring_manifest(path: Path) -> KeyRingManifest:
    """The ring in the first annotated ConfigMap of a file. Raises InvalidDocument.

    Whether clusters can use it is not asked here: see ``check_key_ring``.
    """
    chosen = read_key_ring_file(path)
    return KeyRingManifest(
        entries={
            name.removeprefix(KEY_PREFIX): tuple(split_keys(text.encode(), path=f"{path}: {name}"))
            for name, text in chosen.data.items()
            if name.startswith(KEY_PREFIX)
        },
        stores={
            name.removeprefix(STORE_PREFIX): text.strip()
            for name, text in chosen.data.items()
            if name.startswith(STORE_PREFIX)
        },
    )


def make_config_map(ring: KeyRingManifest) -> ConfigMap:
    """The object of ``ring``, as clusters decode it."""
    return ConfigMap(
        namespace=NAMESPACE,
        name=NAME,
        annotations={
            **{f"include.release.openshift.io/{profile}": "true" for profile in _PROFILES},
            ANNOTATION: "",
        },
        data={
            **{f"{STORE_PREFIX}{name}": url for name, url in sorted(ring.stores.items())},
            **{
                f"{KEY_PREFIX}{name}": armour_keys(keys)
                for name, keys in sorted(ring.entries.items())
            },
        },
    )


def encode_key_ring(ring: KeyRingManifest) -> bytes:
    """The manifest of ``ring`` in YAML, keys as blocks of text."""
    config_map = make_config_map(ring)
    lines = ["apiVersion: v1", "kind: ConfigMap", "metadata:", "  annotations:"]
    lines += [f'    {key}: "{value}"' for key, value in config_map.annotations.items()]
    lines += [f"  name: {config_map.name}", f"  namespace: {config_map.namespace}", "data:"]
    for name, text in config_map.data.items():
        if name.startswith(KEY_PREFIX):
            lines += [f"  {name}: |", *(f"    {line}".rstrip() for line in text.splitlines())]
        else:
            lines.append(f"  {name}: {msgspec.json.encode(text).decode()}")
    return ("\n".join(lines) + "\n").encode()
