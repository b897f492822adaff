# SPDX-License-Identifier: Apache-2.0
"""Where this program keeps things on a machine.

Two folders: the *cache* (git mirrors, blobs by digest: safe to delete at any time) and the
*state* (repositories, run records, logs). Flag beats environment beats the XDG default.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

_NAME = "okd-payload"


class Locations(msgspec.Struct, frozen=True, kw_only=True):
    """The cache and the state folder; neither needs to exist yet."""

    cache: Path
    state: Path

    @property
    def git(self) -> Path:
        """Bare mirrors, one folder per repository."""
        return self.cache / "git"

    @property
    def blobs(self) -> Path:
        """An OCI layout that caches what was read from registries."""
        return self.cache / "blobs"

    @property
    def content(self) -> Path:
        """What registries hold by digest and was read before: manifests, small blobs, extracts."""
        return self.cache / "content"

    @property
    def mirrors(self) -> Path:
        """What is remembered of mirrored releases, one journal for each; may be deleted."""
        return self.state / "mirrors"

    @property
    def buildah(self) -> Path:
        """Buildah's storage: private to this program, so that it may be emptied at will."""
        return self.state / "buildah"

    def images(self, stream: str) -> Path:
        """The OCI layout whose tags are the components of ``stream``."""
        return self.state / "streams" / stream / "images"

    def releases(self, stream: str) -> Path:
        """The OCI layout whose tags are the releases of ``stream``."""
        return self.state / "streams" / stream / "releases"

    def branches(self, stream: str) -> Path:
        """What repositories answered about branches when not all of them did; may be deleted."""
        return self.state / "streams" / stream / "branches.json"

    def runs(self, stream: str) -> Path:
        """Run records and logs of ``stream``, one folder per run."""
        return self.state / "streams" / stream / "runs"


def find_locations(*, cache: Path | None = None, state: Path | None = None) -> Locations:
    """The folders to use: the given ones, else the environment's, else the XDG defaults."""
    home = Path.home()
    return Locations(
        cache=(cache or _from_environment("CACHE", home / ".cache")).absolute(),
        state=(state or _from_environment("STATE", home / ".local" / "state")).absolute(),
    )


def _from_environment(kind: str, fallback: Path) -> Path:
    own = os.environ.get(f"OKD_PAYLOAD_{kind}")
    if own:
        return Path(own)
    return Path(os.environ.get(f"XDG_{kind}_HOME") or fallback) / _NAME
