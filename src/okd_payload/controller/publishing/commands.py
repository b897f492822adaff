# SPDX-License-Identifier: Apache-2.0
"""Publishing by a command of the owner's own: announcements, catalogues, whatever a site needs.

It runs without a shell, in a folder of its own, and sees nothing of our environment but what it
needs to find programs. It may be run again for the same release, after a kill or a failure, so it
has to bear that.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from okd_payload import process
from okd_payload.controller.configuration.durations import format_duration
from okd_payload.controller.publishing.publisher import PublishContext
from okd_payload.controller.surroundings import Surroundings
from okd_payload.errors import ReleaseError, StorageError

_SECONDS = 1800.0
_TOLD = 400
"""Characters of a failed command's output that the record tells."""
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""Variables of ours that every program gets: none of them is a secret."""
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


class CommandPublisher:
    """Runs commands."""

    def __init__(self, surroundings: Surroundings, *, seconds: float = _SECONDS) -> None:
        self._surroundings = surroundings
        self._seconds = seconds

    async def publish(self, context: PublishContext) -> str:
        """Run the command to its end. Raises ReleaseError when it fails, with its last words."""
        folder = self._folder(context)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"cannot make {folder}: {error.strerror}") from error
        hidden: dict[str, str | None] = {
            name: None for name in os.environ if name not in _PASSED_ON
        }
        name = context.action.command[0]
        try:
            outcome = await process.run(
                context.action.command,
                directory=folder,
                environment=hidden | environment_of(context, folder),
                deadline=self._seconds,
            )
        except TimeoutError as error:
            raise ReleaseError(
                f"{name} did not end within {format_duration(self._seconds)}",
                hint="everything it started was ended",
            ) from error
        if outcome.code != 0:
            words = (outcome.errors or outcome.output.decode(errors="replace")).strip()
            raise ReleaseError(f"{name} ended with code {outcome.code}: {words[-_TOLD:]}")
        return name

    def _folder(self, context: PublishContext) -> Path:
        base = folder_of(self._surroundings.state, context.release.name)
        return base / _safe(context.action.name)


def folder_of(state: Path, release: str) -> Path:
    """Where commands for ``release`` leave files; it goes when the release goes."""
    return state / "publications" / _safe(release)


def _safe(name: str) -> str:
    return _UNSAFE.sub("_", name).lstrip(".")


def environment_of(context: PublishContext, folder: Path) -> dict[str, str]:
    """What the command is told."""
    release = context.release
    return {
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "OKD_PAYLOAD_STREAM": release.stream,
        "OKD_PAYLOAD_RELEASE": release.name,
        "OKD_PAYLOAD_PULL_SPEC": release.pull_spec,
        "OKD_PAYLOAD_DIGEST": release.digest or "",
        "OKD_PAYLOAD_PUBLICATION": context.action.name,
        "OKD_PAYLOAD_REPLACES": context.replaces,
        "OKD_PAYLOAD_ROLL_BACK": "true" if context.restores else "false",
    }
