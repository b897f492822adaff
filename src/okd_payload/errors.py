# SPDX-License-Identifier: Apache-2.0
"""The tree of everything that can stop the program.

    OkdPayloadError
    ├── InputError                 what the user gave is wrong           (exit code 2)
    │   ├── InvalidReference       an image reference or digest
    │   ├── InvalidDocument        a file: says path, line and field
    │   ├── UnknownName            a component, tag or file nobody has: says the nearest names
    │   └── BlockedByIssues        checks before the first build found errors
    ├── MissingTool                a program of this machine is absent   (exit code 1, as all below)
    ├── RegistryError              a registry, or the way to it
    │   ├── NotFound               the registry has no such manifest, blob or repository
    │   ├── Unauthorized           no credentials, or not enough rights
    │   ├── RegistryUnavailable    unreachable, 429 or 5xx until the deadline, or stalled
    │   └── RegistryRefused        any other answer that retrying cannot change
    ├── ContentError               bytes are not what they should be
    │   ├── DigestMismatch         content differs from its digest or size
    │   ├── UnsupportedContent     schema 1 and other media types that are refused
    │   ├── UnsafeEntry            an archive entry that would leave its folder
    │   └── TooLarge               more, longer or deeper than the stated bound
    ├── StorageError               a local folder or file cannot be used: full, read only, locked
    ├── SourceError                git, or a folder of sources
    ├── InputsUnavailable          sources or images cannot be had now; issues say which
    ├── BuildError                 one image could not be built
    │   └── TransientBuildError    the same build may succeed when tried again
    ├── ClusterError               a Kubernetes cluster, or the way to it
    │   ├── ClusterUnavailable     unreachable, overloaded or failing
    │   ├── NotPermitted           nobody logged in, or without the right that is needed
    │   ├── NoSuchObject           the cluster has no object of that name
    │   ├── NoSuchKind             what defines objects of this kind is not installed there
    │   ├── AlreadyThere           the cluster has an object of that name
    │   ├── Conflict               somebody else changed or owns what was to be changed
    │   ├── Refused                the cluster does not take this object, however often it is tried
    │   └── QuotaExceeded          a quota or limit of the namespace is in the way, for now
    ├── RecordsError               the database of the controller refuses what was asked of it
    │   └── RecordsUnavailable     it cannot be reached, is busy, or has no room
    ├── RequestRefused             a controller that was asked for something says no
    ├── ReleaseError               a payload cannot be assembled or read
    ├── SigningError               a signature cannot be made, or nobody would accept it
    ├── PartlyDone                 some work is left, run again to go on (exit code 3)
    └── Interrupted                the user or the system said stop      (exit code 130)

Every error says what failed, on which object, and what to do next (``hint``). Errors of other
libraries are wrapped where they arise. What a check finds is not an error but an ``Issue``.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from typing import ClassVar, Self

_SHOWN_NAMES = 12


class OkdPayloadError(Exception):
    """Root of the tree: a sentence about what failed, and a hint about what to do."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str | Callable[[], str] = "") -> None:
        super().__init__(message)
        self.message = message
        self._hint = hint

    @property
    def hint(self) -> str:
        """What to do next; may be looked for only now, because many errors are never shown."""
        return self._hint if isinstance(self._hint, str) else self._hint()

    def __str__(self) -> str:
        return self.message


class InputError(OkdPayloadError):
    """What the user gave is wrong: arguments, files, references."""

    exit_code = 2


class InvalidReference(InputError):
    """An image reference, tag or digest that does not follow its grammar."""


class InvalidDocument(InputError):
    """A file that cannot be read as what it should be; names file, line and field."""

    def __init__(
        self, message: str, *, path: str, line: int = 0, field: str = "", hint: str = ""
    ) -> None:
        place = f"{path}:{line}" if line else path
        detail = f"{field}: {message}" if field else message
        super().__init__(f"{place}: {detail}", hint=hint)
        self.path = path
        self.line = line
        self.field = field
        self.detail = detail
        """The message without the place, for those who show the place otherwise."""


class UnknownName(InputError):
    """A name nobody has; the hint offers the nearest ones that exist."""

    def __init__(self, kind: str, name: str, *, known: Iterable[str], hint: str = "") -> None:
        there = sorted(set(known))
        near = nearest_names(name, there)
        offer = f"did you mean {' or '.join(near)}?" if near else ""
        super().__init__(f"unknown {kind} {name!r}", hint=offer or hint or _list_names(there))


class BlockedByIssues(InputError):
    """Checks found errors before the first build; they have been shown already."""


class MissingTool(OkdPayloadError):
    """A program of this machine is needed and absent or too old."""


class RegistryError(OkdPayloadError):
    """A registry, or the way to it, failed."""


class NotFound(RegistryError):
    """The repository has no such manifest or blob, or does not exist."""


class Unauthorized(RegistryError):
    """No credentials, wrong ones, or not enough rights."""


class RegistryUnavailable(RegistryError):
    """Unreachable, overloaded or silent until the deadline."""


class RegistryRefused(RegistryError):
    """An answer that trying again cannot change."""


class ContentError(OkdPayloadError):
    """Bytes are not what they should be."""

    def about(self, name: str, *, hint: str = "") -> Self:
        """The same of what people call ``name``; ``hint`` counts where there is none yet."""
        return type(self)(f"{name}: {self.message}", hint=self._hint or hint)


class DigestMismatch(ContentError):
    """Content differs from the digest or size it was asked for by."""


class UnsupportedContent(ContentError):
    """A media type that is refused, schema 1 above all."""


class UnsafeEntry(ContentError):
    """An archive entry that would leave its folder."""


class TooLarge(ContentError):
    """Content exceeds the bound stated in the message."""


class StorageError(OkdPayloadError):
    """A local folder or file cannot be used."""


class SourceError(OkdPayloadError):
    """Git, or a folder of sources, failed."""


class InputsUnavailable(OkdPayloadError):
    """Sources or images of elsewhere cannot be had now; they have been shown already."""


class BuildError(OkdPayloadError):
    """One image could not be built."""


class TransientBuildError(BuildError):
    """A failure of the surroundings: the same build may succeed when tried again."""


class ClusterError(OkdPayloadError):
    """A Kubernetes cluster, or the way to it, failed."""


class ClusterUnavailable(ClusterError):
    """Unreachable, overloaded or failing."""


class NotPermitted(ClusterError):
    """Nobody is logged in, or lacks the right that is needed."""


class NoSuchObject(ClusterError):
    """The cluster has no object of that name."""


class NoSuchKind(ClusterError):
    """The cluster has no objects of this kind: what defines them is not installed."""


class AlreadyThere(ClusterError):
    """The cluster has an object of that name."""


class Conflict(ClusterError):
    """Somebody else changed or owns what was to be changed."""


class Refused(ClusterError):
    """The cluster does not take this object, and will not take it when tried again."""


class QuotaExceeded(ClusterError):
    """A quota or limit of the namespace is in the way, for now."""


class RecordsError(OkdPayloadError):
    """The database of the controller refuses what was asked of it."""


class RecordsUnavailable(RecordsError):
    """It cannot be reached, is busy, or has no room: later it may."""


class RequestRefused(OkdPayloadError):
    """A controller that was asked for something says no, or something else than was expected."""


class ReleaseError(OkdPayloadError):
    """A payload cannot be assembled or read."""


class SigningError(OkdPayloadError):
    """A signature cannot be made, or nobody would accept it."""


class PartlyDone(OkdPayloadError):
    """Some of the work is left; the same command goes on with it."""

    exit_code = 3


class Interrupted(OkdPayloadError):
    """The user or the system said stop."""

    exit_code = 130


def _list_names(names: list[str]) -> str:
    """The first of ``names``, and how many more there are; nothing without any."""
    if not names:
        return ""
    shown, others = names[:_SHOWN_NAMES], len(names) - _SHOWN_NAMES
    return f"known: {', '.join(shown)}" + (f" and {others} more" if others > 0 else "")


def nearest_names(name: str, known: Iterable[str], *, most: int = 3) -> list[str]:
    """The names of ``known`` that look most like ``name``, best first, at most ``most``."""
    return difflib.get_close_matches(name, sorted(set(known)), n=most, cutoff=0.5)
