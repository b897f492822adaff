# SPDX-License-Identifier: Apache-2.0
"""Manifests that were checked before, on this machine and by these rules, and found sound.

Reading YAML is most of what is left to do when a release is made again, and nearly all of its
manifests are those of last time, also where the images around them are new. Only "sound" is
remembered, by the hash of the content; whatever has a problem is checked again. The rules go by
the hash of their source, so that changed rules never find an old verdict.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from okd_payload.imagestream import go_yaml
from okd_payload.oci.cache import Shelf
from okd_payload.release import objects, plain_yaml
from okd_payload.release.objects import Problem, check_manifest

CheckManifest = Callable[[bytes], list[Problem]]
"""Everything that bars a manifest file with this content from a payload."""

_RULES = (objects, plain_yaml, go_yaml)
_HASH_BYTES = 32
_MOST = 20_000
"""Manifests remembered: those of ten releases that have none in common."""


class RememberedChecks:
    """``check_manifest``, which checks no sound content twice; many threads may call it."""

    def __init__(self, shelf: Shelf, *, check: CheckManifest = check_manifest) -> None:
        self._shelf = shelf
        self._check = check
        self._rules = _hash_of_rules()
        kept = (self._rules and shelf.get(self._rules)) or b""
        starts = range(0, len(kept) - len(kept) % _HASH_BYTES, _HASH_BYTES)
        self._sound = dict.fromkeys(kept[start : start + _HASH_BYTES] for start in starts)
        self._found: dict[bytes, None] = {}

    def __call__(self, content: bytes) -> list[Problem]:
        """Everything that bars a manifest file with this content from a payload."""
        key = hashlib.sha256(content).digest()
        if key in self._sound or key in self._found:
            return []
        problems = self._check(content)
        if not problems:
            self._found[key] = None
        return problems

    def save(self) -> None:
        """Remember what was found; of two processes that do so at once one may be forgotten."""
        if self._found and self._rules:
            newest = [*self._sound, *self._found][-_MOST:]
            self._shelf.put(self._rules, b"".join(newest))


def _hash_of_rules() -> str:
    """Empty where this program has no files, and nothing is remembered."""
    rules = hashlib.sha256()
    for module in _RULES:
        try:
            rules.update(Path(str(module.__file__)).read_bytes())
        except OSError:
            return ""
    return rules.hexdigest()
