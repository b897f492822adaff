# SPDX-License-Identifier: Apache-2.0
"""A folder of rendered files, written whole or not at all.

The files get their names when all of them are complete (``release.output_folder``), so a render
that fails leaves what was there. Files that are there already and have other names stay: people
keep overlays of their own beside what is rendered, and only kustomizations say what counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from okd_payload.errors import InputError
from okd_payload.release.output_folder import NewFile, write_files

_TIME_NS = 315_532_800 * 10**9
"""1980-01-01: rendered files are of no time, so that an archive of them is the same again."""


class TextFile(msgspec.Struct, frozen=True):
    """A file that is to be written."""

    path: str
    """Below the folder, with slashes."""
    text: str


def write_folder(files: Iterable[TextFile], folder: Path) -> tuple[str, ...]:
    """Write ``files`` into ``folder``, all or none; their paths, sorted.

    Raises InputError when two have the same path, StorageError, and UnsafeEntry.
    """
    chosen: dict[str, TextFile] = {}
    for file in files:
        if file.path in chosen:
            raise InputError(
                f"two files would be {file.path}",
                hint="two streams or components have the same name: give one another",
            )
        chosen[file.path] = file
    paths = tuple(sorted(chosen))
    write_files(
        (
            NewFile(name=path, content=chosen[path].text.encode(), mtime_ns=_TIME_NS)
            for path in paths
        ),
        folder,
    )
    return paths
