# SPDX-License-Identifier: Apache-2.0
"""What to change in the content of a source before it is built, as values.

An altered source is a commit of its own on top of the one it was made from: equal content on an
equal commit is equal wherever it is made, so build keys need to know nothing of alterations.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from okd_payload.errors import SourceError
from okd_payload.source.git_objects import Mode

AUTHOR = "okd-payload alteration <alteration@okd-payload.invalid>"
_HUNK = re.compile(rb"^@@ -(\d+)(?:,\d+)? \+\d+(?:,\d+)? @@[^\n]*", re.MULTILINE)
_FILE = re.compile(rb"^diff --git a/(.+?) b/", re.MULTILINE)
_FAILED = re.compile(r"^error: patch failed: (.+):(\d+)$", re.MULTILINE)


class NewFile(msgspec.Struct, frozen=True):
    """A file as it is to be, whether it was there or not; the content of a link is its target."""

    path: str
    content: bytes
    mode: Mode = Mode.FILE


class FileChanges(msgspec.Struct, frozen=True, kw_only=True):
    """Files that take the place of others."""

    message: str
    """Why, in one line."""
    emptied: tuple[str, ...] = ()
    """Folders whose own files go; what is in folders below them stays."""
    removed: tuple[str, ...] = ()
    """Single files that go."""
    files: tuple[NewFile, ...] = ()
    time: int = 0
    """When the newest of ``files`` was made, if that is later than the commit."""


def kept_paths(paths: Iterable[str], changes: FileChanges) -> list[str]:
    """The ones of ``paths`` that ``changes`` leave as they are.

    A new file takes the place of everything that is in its way, also of a link or file where it
    needs a folder: nothing is ever written through a link of the source.
    """
    new = {file.path for file in changes.files}
    folders = {folder for path in new for folder in _above(path)}
    emptied, removed = set(changes.emptied), set(changes.removed)
    return [
        path
        for path in paths
        if path not in new
        and path not in folders
        and path not in removed
        and path.rpartition("/")[0] not in emptied
        and new.isdisjoint(_above(path))
    ]


def _above(path: str) -> list[str]:
    """The folders that ``path`` is in."""
    parts = path.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts))]


class Patch(msgspec.Struct, frozen=True):
    """A change as ``git format-patch`` writes it, or a plain diff; ``name`` is its file."""

    name: str
    content: bytes


class Patches(msgspec.Struct, frozen=True):
    """Patches that are applied one on top of the other."""

    patches: tuple[Patch, ...]

    @property
    def message(self) -> str:
        """What the altered source is."""
        names = ", ".join(patch.name.rpartition("/")[2] for patch in self.patches)
        return f"With {names}"


Alteration = FileChanges | Patches


class PatchConflict(SourceError):
    """A patch that fits neither the content nor, by merging, what it was made for."""

    def __init__(self, patch: Patch, *, reason: str, hint: str) -> None:
        super().__init__(f"{patch.name.rpartition('/')[2]} does not apply: {reason}", hint=hint)
        self.patch = patch


def explain_conflict(patch: Patch, complaint: str, *, unmerged: bool) -> PatchConflict:
    """The error for ``patch``, of which git says ``complaint``: which hunk of which file.

    ``unmerged`` says that the content it was made for is not to be had, so no merge was tried.
    """
    failed = [
        f"{file}, {_hunk(patch, file, int(line))}" for file, line in _FAILED.findall(complaint)
    ]
    first = next(iter(complaint.splitlines()), "git says no").removeprefix("error: ")
    return PatchConflict(
        patch,
        reason="; ".join(failed) or first,
        hint="make the patch anew for this ref, or keep the component at the ref it fits"
        + ("; one made with `git format-patch --full-index` can be merged" if unmerged else ""),
    )


def _hunk(patch: Patch, file: str, line: int) -> str:
    """The head of the hunk that changes ``file`` from ``line`` on, as the patch has it."""
    marks = list(_FILE.finditer(patch.content))
    for number, mark in enumerate(marks):
        if mark[1].decode(errors="replace") == file:
            end = marks[number + 1].start() if number + 1 < len(marks) else len(patch.content)
            for hunk in _HUNK.finditer(patch.content, mark.end(), end):
                if int(hunk[1]) == line:
                    return f"hunk {hunk[0].decode(errors='replace').strip()}"
    return f"hunk at line {line}"
