# SPDX-License-Identifier: Apache-2.0
"""The mirror of a repository in the cache, past the code under test."""

from __future__ import annotations

import subprocess
from pathlib import Path

from okd_payload.locations import Locations
from okd_payload.source.model import GitSource


def source(repository, ref: str = "") -> GitSource:
    """The repository of the test at ``ref``."""
    return GitSource(url=repository.url, ref=ref)


def mirror(locations: Locations) -> Path:
    """The only mirror in the cache."""
    [found] = [path for path in locations.git.iterdir() if path.is_dir()]
    return found


def objects(locations: Locations, kind: str) -> int:
    """How many objects of ``kind`` the mirror holds."""
    listing = ["git", "cat-file", "--batch-all-objects", "--batch-check=%(objecttype)"]
    done = subprocess.run(listing, cwd=mirror(locations), capture_output=True, check=True)
    return done.stdout.decode().split().count(kind)
