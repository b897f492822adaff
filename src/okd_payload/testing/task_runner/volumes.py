# SPDX-License-Identifier: Apache-2.0
"""Volumes and workspaces of a run, as folders of this machine.

What a cluster would have is given as values: Secrets and ConfigMaps as bytes by key, claims as
folders that outlive the run. A missing one that is not optional is an error at once; a cluster
would wait for it until the time-out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from okd_payload.errors import InputError
from okd_payload.testing.task_runner.model import Content, Item

Entries = Mapping[str, bytes]


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What the namespace has."""

    secrets: Mapping[str, Entries] = {}
    config_maps: Mapping[str, Entries] = {}
    claims: Mapping[str, Path] = {}

    def secret(self, name: str, *, optional: bool = False) -> Entries:
        """The Secret ``name``. Raises InputError."""
        return _find(self.secrets, name, "secret", optional=optional)

    def config_map(self, name: str, *, optional: bool = False) -> Entries:
        """The ConfigMap ``name``. Raises InputError."""
        return _find(self.config_maps, name, "configmap", optional=optional)


class Volumes:
    """Makes the folders of one run below ``folder``."""

    def __init__(self, folder: Path, surroundings: Surroundings) -> None:
        self._folder = folder
        self._surroundings = surroundings

    def empty(self, name: str) -> Path:
        """An empty folder for everybody, the same for the same ``name``."""
        path = self._folder / name
        if not path.is_dir():
            path.mkdir(parents=True)
            path.chmod(0o777)
        return path

    def make(self, name: str, content: Content) -> Path:
        """The folder with ``content``. Raises InputError."""
        claim = content.persistent_volume_claim
        if claim is not None:
            if claim.claim_name not in self._surroundings.claims:
                raise InputError(f'persistentvolumeclaim "{claim.claim_name}" not found')
            return self._surroundings.claims[claim.claim_name]
        path = self.empty(name)
        for relative, data in self._files(content):
            target = (path / relative).resolve()
            if not target.is_relative_to(path.resolve()):
                raise InputError(f"{relative} leads out of the volume {name}")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
            target.chmod(0o644)
        return path

    def _files(self, content: Content) -> Iterator[tuple[str, bytes]]:
        sources = content.projected.sources if content.projected else (content,)
        for source in sources:
            if source.secret is not None:
                secret = source.secret
                entries = self._surroundings.secret(
                    secret.secret_name or secret.name, optional=secret.optional
                )
                yield from _select(entries, secret.items)
            if source.config_map is not None:
                config_map = source.config_map
                entries = self._surroundings.config_map(
                    config_map.name, optional=config_map.optional
                )
                yield from _select(entries, config_map.items)


def _select(entries: Entries, items: tuple[Item, ...]) -> Iterator[tuple[str, bytes]]:
    if not items:
        yield from entries.items()
    for item in items:
        if item.key in entries:
            yield item.path, entries[item.key]


def _find(known: Mapping[str, Entries], name: str, kind: str, *, optional: bool) -> Entries:
    if name not in known and not optional:
        raise InputError(f'{kind} "{name}" not found')
    return known.get(name, {})
