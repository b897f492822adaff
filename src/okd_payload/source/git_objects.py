# SPDX-License-Identifier: Apache-2.0
"""Git's object ids, computed without git.

An id is the SHA-1 of a type, a size and the content, so equal content has an equal id on every
machine. Here it identifies folders that no repository knows, and proves that a checkout is
exactly the tree it should be. Formats: gitformat-index(5) has the modes, the Git Book chapter
"Git Objects" the rest. Repositories with SHA-256 ids are not supported: no component uses them.
"""

from __future__ import annotations

import enum
import hashlib
import os
from collections.abc import Iterable, Mapping

import msgspec


class Mode(enum.Enum):
    """What an entry of a tree is; git knows no other permissions."""

    FILE = "100644"
    EXECUTABLE = "100755"
    LINK = "120000"
    FOLDER = "40000"


class Entry(msgspec.Struct, frozen=True):
    """One entry of a tree; the content of a link is its target."""

    mode: Mode
    id: str


class Person(msgspec.Struct, frozen=True):
    """Who wrote something, as git prints it, and when: seconds since the epoch, in UTC."""

    name: str
    time: int


class BlobHash:
    """The id of a blob whose content passes in pieces; its size must be known before."""

    def __init__(self, size: int) -> None:
        self._hash = _start("blob", size)

    def update(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self._hash.update(chunk)

    def id(self) -> str:
        """The id of what has passed."""
        return self._hash.hexdigest()


def blob_id(content: bytes) -> str:
    """The id of a file with ``content``."""
    return _id("blob", content)


def tree_id(files: Mapping[str, Entry]) -> str:
    """The id of the tree that holds ``files``, by path with ``/`` between the names."""
    folders: dict[str, dict[str, Entry]] = {"": {}}
    for path, entry in files.items():
        folder, _, name = path.rpartition("/")
        _ensure(folders, folder)[name] = entry
    # Deepest first, so that every folder is complete before its own id is needed.
    for path in sorted(folders, key=lambda path: path.count("/"), reverse=True):
        if path:
            folder, _, name = path.rpartition("/")
            folders[folder][name] = Entry(Mode.FOLDER, _folder_id(folders[path]))
    return _folder_id(folders[""])


def commit_id(*, tree: str, parents: Iterable[str], author: Person, message: str) -> str:
    """The id of a commit whose author is its committer; ``message`` ends with a new line."""
    person = f"{author.name} {author.time} +0000"
    lines = [
        f"tree {tree}",
        *(f"parent {parent}" for parent in parents),
        f"author {person}",
        f"committer {person}",
    ]
    return _id("commit", ("\n".join(lines) + "\n\n" + message).encode())


def _ensure(folders: dict[str, dict[str, Entry]], path: str) -> dict[str, Entry]:
    """The entries of the folder at ``path``, which exists afterwards, and so do those above."""
    known = folders.get(path)
    if known is None:
        _ensure(folders, path.rpartition("/")[0])
        known = folders[path] = {}
    return known


def _folder_id(entries: Mapping[str, Entry]) -> str:
    named = [(os.fsencode(name), entry) for name, entry in entries.items()]
    # Git sorts a folder as if its name ended with a slash.
    named.sort(key=lambda item: item[0] + b"/" * (item[1].mode is Mode.FOLDER))
    content = b"".join(
        b"%s %s\0%s" % (entry.mode.value.encode(), name, bytes.fromhex(entry.id))
        for name, entry in named
    )
    return _id("tree", content)


def _id(kind: str, content: bytes) -> str:
    hashed = _start(kind, len(content))
    hashed.update(content)
    return hashed.hexdigest()


def _start(kind: str, size: int) -> hashlib._Hash:
    return hashlib.sha1(f"{kind} {size}\0".encode(), usedforsecurity=False)
