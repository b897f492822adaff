# SPDX-License-Identifier: Apache-2.0
"""What a snapshot says, apart from the files in it.

The plan is in it as it was frozen, so nobody plans again: one component of 189 is ready to be
built after reading one document, without its Dockerfile or anyone else's. Such a document is
read by the version that wrote it only. Versions differ in what a plan says, and one that was
read half would build something else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from okd_payload.build.freeze import FrozenPlan
from okd_payload.oci.manifest import Descriptor, Platform
from okd_payload.source.alteration import FileChanges, Patches
from okd_payload.source.lock import Lock
from okd_payload.source.model import Commit, GitSource

FORMAT = 1

BringSources = Callable[[], Awaitable[str]]
"""Stores what is built and only this machine has, and gives the snapshot that has it, as
``REPOSITORY@DIGEST``; empty when pods find everything without."""


class PackedFolder(msgspec.Struct, frozen=True, kw_only=True):
    """The content of a folder of the machine that made the snapshot, at one commit."""

    commit: Commit
    place: str
    """Below the folder that the snapshot is unpacked to."""
    layer: Descriptor


class PackedAlteration(msgspec.Struct, frozen=True, kw_only=True):
    """How a commit is made that no repository has; exactly one of the last two is set."""

    source: GitSource
    base: Commit
    commit: Commit
    changes: FileChanges | None = None
    patches: Patches | None = None


class SnapshotDocument(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a snapshot says; paths in it are below the folder it is unpacked to."""

    format: int = FORMAT
    tool: str
    """The version of this program that wrote it."""
    platform: Platform
    frozen: FrozenPlan
    given: Lock = Lock()
    """The lock that was asked for when it was planned."""
    overridden: bool = False
    """Whether sources were changed for this build: then no tag of the stream is moved."""
    from_release: str = ""
    """The release that this is built on, by its digest; empty for a whole stream."""
    files: Descriptor
    """The layer with the files of the stream."""
    folders: tuple[PackedFolder, ...] = ()
    alterations: tuple[PackedAlteration, ...] = ()


class StoredSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot that is in a repository now."""

    reference: str
    """``REPOSITORY@DIGEST``: what --snapshot takes."""
    digest: str
    size: int
    """Bytes of all that was stored for it."""
