# SPDX-License-Identifier: Apache-2.0
"""The lock: every source a commit, every image from elsewhere a digest.

With it the same build is possible later and elsewhere without asking anybody what a name means
now. It is a YAML file, because people read it, review its changes and resolve conflicts in it:
one fact a line, sorted, and written the same for the same content. Passwords are never in it.
Folders are written relative to the file, so that a lock beside its stream fits every clone.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from okd_payload.documents import convert, read_documents
from okd_payload.errors import InvalidDocument, StorageError
from okd_payload.oci.digest import Digest
from okd_payload.source.model import Commit, FolderSource, GitSource, Source
from okd_payload.source.remote import parse_remote

VERSION = 1

_HEADER = """\
# Every input of the stream, pinned. Written by okd-payload: change the stream, not this file.
version: {version}
"""
_PLAIN = re.compile(r"(?:[A-Za-z_/]|\./|\.\./)[\w./@+-]*(?::[\w./@+-]+)*", re.ASCII)
_AMBIGUOUS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_HINT = "restore the file from your version control, or remove it and resolve everything anew"

ObjectId = Annotated[str, Meta(pattern="^[0-9a-f]{40}$", description="40 digits of a git id")]
DigestText = Annotated[str, Meta(pattern="^sha256:[0-9a-f]{64}$", description="a sha256 digest")]
Natural = Annotated[int, Meta(ge=0)]


class LockedSource(msgspec.Struct, frozen=True):
    """What the source of a component meant when it was locked."""

    source: Source
    commit: Commit


class LockedImage(msgspec.Struct, frozen=True):
    """What a reference to an image meant when it was locked."""

    digest: Digest
    media_type: str
    size: int


class Lock(msgspec.Struct, frozen=True, kw_only=True):
    """All inputs of a stream."""

    sources: dict[str, LockedSource] = {}
    """By component."""
    images: dict[str, LockedImage] = {}
    """By reference, as written in the stream or in a Dockerfile."""
    imports: dict[str, LockedImage] = {}
    """By tag: images of the stream that a command made."""

    def commit_of(self, component: str, source: Source) -> Commit | None:
        """The locked commit of ``component``; None unless ``source`` is what was locked."""
        locked = self.sources.get(component)
        if locked is None or _without_secrets(locked.source) != _without_secrets(source):
            return None
        return locked.commit


def read_lock(path: Path) -> Lock:
    """The lock in the file at ``path``. Raises InvalidDocument."""
    documents = read_documents(path)
    if len(documents) != 1:
        raise InvalidDocument("not one YAML document", path=str(path), hint=_HINT)
    version = convert(documents[0], _Outline).version
    if version != VERSION:
        raise InvalidDocument(
            f"this okd-payload reads version {VERSION}, not {version}",
            path=str(path),
            line=documents[0].line_of(("version",)),
            field="version",
            hint=_HINT,
        )
    written = convert(documents[0], _WrittenLock)
    directory = path.parent.absolute()
    return Lock(
        sources={name: source.read(directory) for name, source in written.sources.items()},
        images={name: image.read() for name, image in written.images.items()},
        imports={name: image.read() for name, image in written.imports.items()},
    )


def write_lock(lock: Lock, path: Path) -> None:
    """Write ``lock`` to the file at ``path``, as a whole or not at all; one writer at a time."""
    content = format_lock(lock, directory=path.parent.absolute()).encode()
    # Always the same name: what a killed run leaves, the next one replaces.
    fresh = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with fresh.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        raise StorageError(
            f"cannot write the lock {path}: {error.strerror}",
            hint="check free space and rights of its folder",
        ) from error


def format_lock(lock: Lock, *, directory: Path) -> str:
    """``lock`` as the text of a lock file in ``directory``, which is absolute."""
    sections = (
        ("sources", {name: _source_facts(item, directory) for name, item in lock.sources.items()}),
        ("images", {name: _image_facts(item) for name, item in lock.images.items()}),
        ("imports", {name: _image_facts(item) for name, item in lock.imports.items()}),
    )
    lines = []
    for title, items in sections:
        if items:
            lines.append(f"{title}:")
        for name in sorted(items):
            lines.append(f"  {_scalar(name)}:")
            lines += [f"    {key}: {_scalar(value)}" for key, value in items[name].items() if value]
    return _HEADER.format(version=VERSION) + "".join(f"{line}\n" for line in lines)


def _source_facts(locked: LockedSource, directory: Path) -> dict[str, str | int]:
    source, commit = _without_secrets(locked.source), locked.commit
    if isinstance(source, GitSource):
        place: dict[str, str | int] = {"git": source.url, "ref": source.ref}
    else:
        path = Path(source.path)
        inside = path.is_relative_to(directory)
        shown = f"./{path.relative_to(directory)}" if inside else source.path
        place = {"folder": shown, "location": commit.location}
    return place | {
        "commit": commit.id,
        "tree": commit.tree,
        "time": commit.time,
        "author": commit.author,
        "date": commit.date,
        "message": commit.message,
        "dirty": commit.dirty,
    }


def _image_facts(image: LockedImage) -> dict[str, str | int]:
    return {"digest": image.digest, "mediaType": image.media_type, "size": image.size}


def _without_secrets(source: Source) -> Source:
    if isinstance(source, FolderSource):
        return source
    return GitSource(url=parse_remote(source.url).url, ref=source.ref)


def _scalar(value: str | int) -> str:
    """``value`` in YAML: plain where nothing can take it for something else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if _PLAIN.fullmatch(value) and value.lower() not in _AMBIGUOUS:
        return value
    return '"' + "".join(_escaped(value)) + '"'


def _escaped(text: str) -> Iterator[str]:
    for character in text:
        if character in '"\\':
            yield f"\\{character}"
        elif character.isprintable():
            yield character
        else:
            yield f"\\U{ord(character):08x}"


class _Outline(msgspec.Struct, frozen=True):
    version: int


class _WrittenSource(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    commit: ObjectId
    tree: ObjectId
    time: Natural = 0
    git: str = ""
    ref: str = ""
    folder: str = ""
    location: str = ""
    author: str = ""
    date: str = ""
    message: str = ""
    dirty: bool = False

    def __post_init__(self) -> None:
        """Refuse what has no place, or two."""
        if bool(self.git) == bool(self.folder):
            raise ValueError("exactly one of git and folder is needed")

    def read(self, directory: Path) -> LockedSource:
        """The locked source, for a lock file in ``directory``."""
        source: Source
        if self.git:
            source = GitSource(url=self.git, ref=self.ref)
        else:
            source = FolderSource(path=os.path.normpath(directory / self.folder))
        commit = Commit(
            id=self.commit,
            tree=self.tree,
            time=self.time,
            location=self.git or self.location,
            ref=self.ref,
            author=self.author,
            date=self.date,
            message=self.message,
            dirty=self.dirty,
        )
        return LockedSource(source, commit)


class _WrittenImage(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    digest: DigestText
    media_type: str
    size: Natural = 0

    def read(self) -> LockedImage:
        """The locked image."""
        return LockedImage(Digest(self.digest), self.media_type, self.size)


class _WrittenLock(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    version: int
    sources: dict[str, _WrittenSource] = {}
    images: dict[str, _WrittenImage] = {}
    imports: dict[str, _WrittenImage] = {}
