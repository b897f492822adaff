# SPDX-License-Identifier: Apache-2.0
"""Taking all tools out of a release, as ``okd-payload release extract --tools`` does."""

from __future__ import annotations

from pathlib import Path

from okd_payload.controller.model import Release
from okd_payload.controller.surroundings import Surroundings
from okd_payload.controller.verification.runners.builtin.places import Places
from okd_payload.errors import InputError
from okd_payload.oci.reference import parse_reference
from okd_payload.progress import Progress
from okd_payload.release.extract.targets import EVERY_SYSTEM, Wish
from okd_payload.release.extract.tools import Order, extract_tools
from okd_payload.release.load import load_release


class ToolExtraction:
    """Takes tools out of releases of the controller."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings

    async def __call__(self, release: Release, folder: Path, progress: Progress) -> None:
        """Write the archives of all tools of ``release``, and their checksums, to ``folder``.

        Raises InputError, ReleaseError, StorageError, and what reading images raises.
        """
        is_configured = release.stream in self._surroundings.configurations()
        if not is_configured or release.digest is None or not release.pull_spec:
            raise InputError(
                f"{release.name} has no payload that could be read",
                hint="its stream is not configured here any more, or its payload is not made yet",
            )
        repository_of = Places(self._surroundings).repository_of
        pull_from = parse_reference(release.pull_spec).with_digest(release.digest)
        payload = await load_release(await repository_of(pull_from), release.digest)
        every = Wish(system=EVERY_SYSTEM, architecture=EVERY_SYSTEM)
        order = Order(wish=every, folder=folder, pull_from=pull_from)
        made = await extract_tools(payload, order, repository_of=repository_of, progress=progress)
        if not made.files:
            raise InputError(
                f"{release.name} has no tools",
                hint="; ".join(made.warnings) or "its images lack them",
            )
