# SPDX-License-Identifier: Apache-2.0
"""What deleted releases leave behind: files of runs and commands, tags, images that nobody holds.

Only tags that we made are touched: those of the release itself and ``kept-DIGEST`` of images that
it held and no other release of any stream holds. Of a release that was adopted the tag is
somebody else's, and stays. In layouts, blobs go that no tag and no writer leads to any more; in
registries that is up to the registry.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol, runtime_checkable

import msgspec
from sqlalchemy import Connection

from okd_payload.controller.creation.keeping import kept_tag
from okd_payload.controller.publishing.commands import folder_of
from okd_payload.controller.records import releases, removals
from okd_payload.controller.records.removals import Removal
from okd_payload.controller.retention.removing import Removed, remove_tag
from okd_payload.controller.surroundings import Surroundings
from okd_payload.errors import OkdPayloadError, RecordsError, StorageError
from okd_payload.oci.digest import Digest
from okd_payload.oci.location import parse_location
from okd_payload.oci.threads import finish_in_thread
from okd_payload.scratch import remove_tree

Write = Callable[[Callable[[Connection], None]], Awaitable[None]]

_AGAIN_SECONDS = 3600.0
_REFUSED_AGAIN_SECONDS = 7 * 86400.0
"""A registry that refuses does so until somebody sets it up otherwise."""


@runtime_checkable
class CollectsGarbage(Protocol):
    """A repository that removes what nothing leads to by itself, when it is told to."""

    async def collect_garbage(self) -> object:
        """Remove it."""
        ...


class Cleaner:
    """Removes what deleted releases left."""

    def __init__(self, surroundings: Surroundings, *, write: Write) -> None:
        self._surroundings = surroundings
        self._write = write

    async def clean(self, removal: Removal) -> Removal:
        """Remove what can be; what is left is in the answer, which is written down."""
        try:
            await self._remove_files(removal)
            refused = await self._remove_release(removal)
            refused += await self._remove_images(removal)
        except RecordsError:
            raise
        except OkdPayloadError as error:
            after = self._later(removal, error.message, _AGAIN_SECONDS)
        else:
            after = self._done(removal, refused)
        if msgspec.structs.replace(after, retry_at=None) != removal or after.done is None:
            await self._write(lambda unit: removals.write(unit, after))
        return after

    def _done(self, removal: Removal, refused: list[str]) -> Removal:
        if refused:
            message = f"{', '.join(sorted(set(refused)))} lets go of nothing"
            return self._later(removal, message, _REFUSED_AGAIN_SECONDS)
        now = self._surroundings.clock.now()
        return msgspec.structs.replace(
            removal, done=now, images=(), runs=(), retry_at=None, message=""
        )

    def _later(self, removal: Removal, message: str, seconds: float) -> Removal:
        due = self._surroundings.clock.now() + seconds
        return msgspec.structs.replace(removal, retry_at=due, message=message)

    async def _remove_files(self, removal: Removal) -> None:
        base = self._surroundings.state / "runs"
        folders = [base / run for run in removal.runs if Path(run).name == run]
        folders.append(folder_of(self._surroundings.state, removal.release))
        for folder in folders:
            await finish_in_thread(_remove_folder, folder)

    async def _remove_release(self, removal: Removal) -> list[str]:
        """Take the release's own tag away; where that is refused."""
        if removal.adopted or removal.digest is None or not removal.releases:
            return []
        return await self._remove(removal.releases, {removal.release: removal.digest})

    async def _remove_images(self, removal: Removal) -> list[str]:
        """Take the tags of images away that no release holds any more."""
        if not removal.images or not removal.content:
            return []
        async with self._surroundings.places.of(removal.content).alone():
            held: set[str] = set()
            # As a write: who does not act any more must not remove anything either.
            await self._write(lambda unit: held.update(releases.find_held(unit, removal.images)))
            free = [digest for digest in removal.images if digest not in held]
            return await self._remove(
                removal.content, {kept_tag(digest): digest for digest in free}
            )

    async def _remove(self, place: str, tags: dict[str, Digest]) -> list[str]:
        if not tags:
            return []
        repository = await self._surroundings.open_target(parse_location(place))
        there = set(await repository.manifests.tags())
        outcomes = [
            await remove_tag(repository, tag, digest)
            for tag, digest in sorted(tags.items())
            if tag in there
        ]
        if isinstance(repository, CollectsGarbage) and Removed.GONE in outcomes:
            await repository.collect_garbage()
        return [place for outcome in outcomes if outcome is Removed.REFUSED]


def _remove_folder(folder: Path) -> None:
    remove_tree(folder)
    if folder.exists():
        raise StorageError(
            f"cannot remove all of {folder}",
            hint="somebody else's files are in it, or the disk takes no changes",
        )
