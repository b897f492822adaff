# SPDX-License-Identifier: Apache-2.0
"""Files before and after: shown as a patch, or written.

A patch can be kept, reviewed and applied elsewhere (``git apply``, ``patch -p1``); what is
written is exactly what it shows.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from okd_payload.oci.layout.files import storage_errors

_NOWHERE = "/dev/null"


class FileChange(msgspec.Struct, frozen=True, kw_only=True):
    """One file; None stands for no file."""

    path: Path
    before: str | None
    after: str | None


def real_changes(changes: Iterable[FileChange]) -> list[FileChange]:
    """Those of ``changes`` that change something, by path."""
    return sorted(
        (change for change in changes if change.before != change.after),
        key=lambda change: change.path,
    )


def draw_patch(changes: Sequence[FileChange], *, folder: Path) -> str:
    """``changes`` as a unified diff with paths relative to ``folder``, where they are below it."""
    return "".join(line for change in changes for line in _draw(change, folder))


def write_changes(changes: Sequence[FileChange]) -> None:
    """Write every file whole or not at all. Raises StorageError."""
    for change in changes:
        with storage_errors("write", change.path):
            if change.after is None:
                change.path.unlink(missing_ok=True)
            else:
                _write(change.path, change.after)


def read_text(path: Path) -> str:
    """The file at ``path``, line ends as they are. Raises StorageError."""
    with storage_errors("read", path), path.open(encoding="utf-8", newline="") as file:
        return file.read()


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    target = path.resolve()  # what a link leads to is changed, not the link
    fresh = target.with_name(f".{target.name}.new")
    with fresh.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if target.exists():
        fresh.chmod(target.stat().st_mode & 0o7777)
    fresh.replace(target)


def _draw(change: FileChange, folder: Path) -> Iterator[str]:
    name = _name_in(folder, change.path)
    before, after = (
        (text or "").splitlines(keepends=True) for text in (change.before, change.after)
    )
    lines = difflib.unified_diff(
        before,
        after,
        fromfile=_NOWHERE if change.before is None else f"a/{name}",
        tofile=_NOWHERE if change.after is None else f"b/{name}",
    )
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _name_in(folder: Path, path: Path) -> str:
    return Path(os.path.relpath(path, folder)).as_posix()
