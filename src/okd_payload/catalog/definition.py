# SPDX-License-Identifier: Apache-2.0
"""What files define, before the stream says anything about it."""

from __future__ import annotations

import msgspec

from okd_payload.catalog.component import Component, Origin, Sharing
from okd_payload.issues import Issue


class Definition(msgspec.Struct, frozen=True):
    """A component, and whether its git ref stays when the stream names a branch."""

    component: Component
    pinned: bool = False


class PulledImage(msgspec.Struct, frozen=True, tag="image"):
    """An image elsewhere, by its pull spec."""

    pull_spec: str


class OtherTag(msgspec.Struct, frozen=True, tag="tag"):
    """The image of another tag or import of the stream."""

    tag: str


class RootFileSystem(msgspec.Struct, frozen=True, tag="command"):
    """What a program writes to standard output, as tar, when run in ``directory``.

    A program name with a '/' is an absolute path; another is to be looked up in PATH.
    """

    command: tuple[str, ...]
    directory: str


class Import(msgspec.Struct, frozen=True, kw_only=True):
    """A name whose image is not built from a source."""

    name: str
    """A tag of the stream, or ``STREAM:TAG`` for one of another image stream."""
    content: PulledImage | OtherTag | RootFileSystem
    origin: Origin
    stub: str = ""
    """The reason, when this stands in for a component that is not built."""
    sharing: Sharing | None = None
    """Of an image that a release has: whether OKD and OCP ship it."""
    sharing_reason: str = ""

    @property
    def is_foreign(self) -> bool:
        """Whether the name belongs to another image stream."""
        return ":" in self.name


class Definitions(msgspec.Struct, frozen=True):
    """Everything that one catalog source defines, and what is wrong with it."""

    definitions: tuple[Definition, ...] = ()
    imports: tuple[Import, ...] = ()
    issues: tuple[Issue, ...] = ()

    def __add__(self, other: Definitions) -> Definitions:
        """Both, in order."""
        return Definitions(
            self.definitions + other.definitions,
            self.imports + other.imports,
            self.issues + other.issues,
        )
