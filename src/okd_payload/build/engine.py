# SPDX-License-Identifier: Apache-2.0
"""The seam between planning and whoever turns one build step into one image.

A ``BuildStep`` is complete: an engine needs nothing but it, the sources and the repository
that holds the parents, so the same step can run in a process here or in a pod elsewhere. It
must give the same image wherever it runs.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

from okd_payload.catalog.component import Argument, Copy, Layering, Resources
from okd_payload.oci.digest import Digest
from okd_payload.oci.manifest import Platform
from okd_payload.source.model import Commit, Source


class CopiedFiles(msgspec.Struct, frozen=True):
    """Files to take out of an image of the repository into the checkout."""

    image: Digest
    copies: tuple[Copy, ...]


class BuildStep(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that decides the content of one image."""

    component: str
    tag: str
    source: Source | None
    commit: Commit | None
    context_directory: str
    dockerfile: str
    """Final text, rewritten already: base replaced, environment and labels added."""
    images: dict[str, Digest]
    """Every FROM, COPY --from and mount operand that is an image, as written in
    ``dockerfile``, and the image of the repository that it means."""
    copied_files: tuple[CopiedFiles, ...] = ()
    build_arguments: tuple[Argument, ...] = ()
    labels: tuple[Argument, ...] = ()
    """Set on the image config after the build; the build key is among them."""
    layering: Layering = Layering.ONE
    platform: Platform
    timestamp: int
    """Seconds since the epoch: ``created`` of the image and mtime of its own files."""
    resources: Resources = Resources()


class Retry(msgspec.Struct, frozen=True):
    """That a build is tried again."""

    cause: str
    """Why, in words that are the same for all of a kind: retries are counted by it."""
    message: str
    """What people are told."""


TellRetry = Callable[[Retry], None]
"""Hears of every attempt after the first, before it begins."""


def ignore_retry(_retry: Retry) -> None:
    """Nobody counts."""


class Engine(Protocol):
    """Turns build steps into images in the repository it was made for."""

    @property
    def format_version(self) -> str:
        """Part of every build key: changes when equal steps would give other images."""
        ...

    async def build(
        self, step: BuildStep, *, log: Path, retried: TellRetry = ignore_retry
    ) -> Digest:
        """Build the image, store it untagged, and return its manifest's digest.

        Engines that try again by themselves say so to ``retried``. Everything the build prints is
        appended to ``log``. Raises BuildError, or TransientBuildError when trying again may help;
        when cancelled, nothing is left behind.
        """
        ...
