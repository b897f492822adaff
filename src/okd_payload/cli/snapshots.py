# SPDX-License-Identifier: Apache-2.0
"""Snapshots by the name that commands print and take, ``REPOSITORY@DIGEST``; making them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from okd_payload.cli.services import Services
from okd_payload.errors import InputError
from okd_payload.oci.location import RegistryLocation, parse_location

if TYPE_CHECKING:
    from okd_payload.build.snapshot.making import OpenedSnapshot
    from okd_payload.build.snapshot.model import StoredSnapshot
    from okd_payload.build.snapshot.sources import RecordingSources
    from okd_payload.cli.session import Session
    from okd_payload.oci.repository import Repository


async def find_snapshot(services: Services, text: str) -> OpenedSnapshot:
    """The snapshot that ``text`` names, to be unpacked to a folder of this command.

    Raises InputError, NotFound, RegistryError and ContentError.
    """
    from okd_payload.build.snapshot.making import open_snapshot

    location = parse_location(text)
    if location.digest is None:
        raise InputError(
            f"{text!r} names no snapshot: a snapshot has a digest",
            hint="name what `okd-payload step snapshot` printed, REPOSITORY@sha256:...",
        )
    repository = await services.open_location(location)
    return await open_snapshot(repository, location.digest, services.temporary_folder())


def record_sources(services: Services) -> RecordingSources:
    """Remember from now on how sources are altered: a snapshot of what is planned needs it."""
    from okd_payload.build.snapshot.sources import RecordingSources

    recording = RecordingSources(services.sources)
    services.sources = recording
    return recording


async def store_session(
    session: Session, sources: RecordingSources, repository: Repository, *, from_release: str = ""
) -> StoredSnapshot:
    """Store a snapshot of ``session``, which was started with ``sources``.

    ``from_release`` is the release that it is built on. Raises InputError for one that only this
    machine has, SourceError and RegistryError.
    """
    from okd_payload.build.change_set import ChangeSet
    from okd_payload.build.snapshot.making import SnapshotRequest, make_snapshot

    request = SnapshotRequest(
        frozen=session.frozen,
        given=session.given,
        platform=session.images.platform,
        overridden=session.change != ChangeSet() or session.impact is not None,
        from_release=_pinned(session, from_release),
    )
    return await make_snapshot(request, sources=sources, repository=repository)


def _pinned(session: Session, from_release: str) -> str:
    """``from_release`` by its digest; empty for a whole stream."""
    if session.base is None or not from_release:
        return ""
    location = parse_location(from_release)
    if not isinstance(location, RegistryLocation):
        raise InputError(
            f"the release {from_release} is on this machine, where no pod finds it",
            hint="name a release in a registry: `okd-payload copy` brings it there",
        )
    return f"{location.repository}@{session.base.release.digest}"
