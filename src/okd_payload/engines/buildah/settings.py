# SPDX-License-Identifier: Apache-2.0
"""What whoever runs builds with buildah may choose.

Nothing here decides the content of an image: the same step gives the same image with any
settings under which it can be built at all. Isolation is no choice: ``chroot`` works for root,
for ordinary users and in containers without privileges, and builds are only comparable when all
of them are isolated alike.
"""

from __future__ import annotations

import enum

import msgspec


class Network(enum.Enum):
    """What RUN instructions can reach."""

    HOST = "host"
    """What this machine reaches; buildah offers nothing narrower with chroot isolation."""
    NONE = "none"
    """Only themselves: for code that nobody has looked at yet."""


class Secret(msgspec.Struct, frozen=True):
    """A file for ``RUN --mount=type=secret,id=ID``; it never becomes part of an image."""

    id: str
    file: str


class BuildahSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How to run buildah on this machine."""

    program: str = "buildah"
    network: Network = Network.HOST
    secrets: tuple[Secret, ...] = ()
    storage_driver: str = ""
    """``overlay`` or ``vfs``; empty is the best one that works here."""
