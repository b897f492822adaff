# SPDX-License-Identifier: Apache-2.0
"""The patches of a component: files of one folder, applied in the order of their names."""

from __future__ import annotations

from pathlib import Path

from okd_payload.errors import SourceError
from okd_payload.source.alteration import Patch, Patches

_SUFFIX = ".patch"


class MissingPatches(SourceError):
    """A folder of patches that is not there, or has none."""


def read_patches(folder: Path) -> Patches:
    """The patches in ``folder``. Raises MissingPatches."""
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix == _SUFFIX)
        patches = tuple(Patch(str(path), path.read_bytes()) for path in files)
    except OSError as error:
        raise MissingPatches(
            f"cannot read the patches in {folder}: {error.strerror}",
            hint="`patches` is a folder, relative to the stream file",
        ) from error
    if not patches:
        raise MissingPatches(
            f"{folder} has no patches: no file ends in {_SUFFIX}",
            hint="leave `patches` away, or put what `git format-patch` writes there",
        )
    return Patches(patches)
