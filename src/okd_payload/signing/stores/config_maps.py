# SPDX-License-Identifier: Apache-2.0
"""Signatures in ConfigMaps, which is how a cluster without network gets them.

A cluster looks only into ConfigMaps of one namespace that bear one label, whatever the label's
value and the name. Any key of ``binaryData`` that begins with ``sha256-HEX`` counts, so their
number is not bounded, and keys may be more than numbers.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from okd_payload.documents.go_quote import quote
from okd_payload.errors import InvalidDocument
from okd_payload.signing.config_map import ConfigMap, decode_config_map
from okd_payload.signing.digests import storage_name
from okd_payload.signing.stores.model import NO_MORE, FoundSignature, SearchProblem

NAMESPACE = "openshift-config-managed"
LABEL = "release.openshift.io/verification-signatures"


class ConfigMapStore:
    """The signatures in some ConfigMaps; those that a cluster would not look into do not count."""

    def __init__(self, config_maps: Iterable[ConfigMap]) -> None:
        self._config_maps = [
            item for item in config_maps if item.namespace == NAMESPACE and LABEL in item.labels
        ]

    @property
    def description(self) -> str:
        """What it is, in the words of a cluster."""
        return f"config maps in {NAMESPACE} with label {quote(LABEL)}"

    async def search(self, digest: str) -> AsyncIterator[FoundSignature | SearchProblem]:
        """The entries of each ConfigMap, in byte order of their keys."""
        prefix = storage_name(digest, separator="-")
        for item in self._config_maps:
            for key, content in sorted(item.binary_data.items()):
                if key.startswith(prefix):
                    yield FoundSignature(content, f"config map {item.name}, key {key}")
            yield SearchProblem(f"prefix {prefix} in config map {item.name}: {NO_MORE}")


def read_config_maps(path: Path) -> list[ConfigMap]:
    """The ConfigMaps in a file of YAML or JSON, or in all such files of a folder, by name.

    Raises InvalidDocument for a file that is neither, or has no ConfigMap that can be decoded.
    """
    from okd_payload.documents import read_documents

    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix in (".json", ".yaml", ".yml"))
        return [item for file in files for item in read_config_maps(file)]
    found = []
    for document in read_documents(path):
        value = document.value
        items = value.get("items") if isinstance(value, dict) else None
        for item in items if isinstance(items, list) else [value]:
            config_map = decode_config_map(item) if isinstance(item, dict) else None
            if config_map is not None:
                found.append(config_map)
    if not found:
        raise InvalidDocument(
            "has no ConfigMap that a cluster could decode",
            path=str(path),
            hint="signature ConfigMaps have apiVersion v1, and base64 text in binaryData",
        )
    return found
