# SPDX-License-Identifier: Apache-2.0
"""Carrying out a session with the engine that was chosen.

What only this machine has (folders, altered sources) is brought to where pods find it before the
first is made: one snapshot in the repository of the images, and only when there is such a thing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from okd_payload.build.job import BuildOutcome, JobOptions, build_images
from okd_payload.build.plan import ComponentNode
from okd_payload.build.records import start_run
from okd_payload.cli.engines import LOCAL_ENGINE
from okd_payload.cli.engines.request import EngineRequest, open_engine
from okd_payload.cli.session import Session, make_maker
from okd_payload.cli.snapshots import record_sources, store_session
from okd_payload.source.model import FolderSource

if TYPE_CHECKING:
    from okd_payload.build.snapshot.sources import RecordingSources
    from okd_payload.cli.engine_options import EngineOptions
    from okd_payload.cli.services import Services
    from okd_payload.cli.stream_options import StreamOptions
    from okd_payload.oci.registry import RegistrySettings


class Undertaking(msgspec.Struct, frozen=True, kw_only=True):
    """What is built, with what, and how much at once."""

    stream: StreamOptions
    engine: EngineOptions
    registries: RegistrySettings
    job: JobOptions


def watch_sources(services: Services, options: EngineOptions) -> RecordingSources | None:
    """Remember how sources are altered, where others than this machine build."""
    return None if options.engine == LOCAL_ENGINE else record_sources(services)


async def carry_out(
    session: Session,
    services: Services,
    undertaking: Undertaking,
    *,
    sources: RecordingSources | None,
) -> BuildOutcome:
    """Make the images of ``session``. Raises OkdPayloadError when the engine cannot build here."""
    runs = services.locations.runs(session.plan.stream)
    folder = start_run(runs, stream=session.plan.stream, moment=services.clock.now())
    request = EngineRequest(
        session=session,
        services=services,
        options=undertaking.engine,
        registries=undertaking.registries,
        run=folder.record.id,
        runs=runs,
        jobs=undertaking.job.jobs,
        bring_sources=lambda: bring_sources(session, undertaking.stream, sources),
    )
    begun = False
    try:
        async with open_engine(request) as engine:
            begun = True
            return await build_images(
                session.frozen,
                maker=make_maker(session, services, engine=engine),
                runs=runs,
                clock=services.clock,
                progress=services.tell,
                options=undertaking.job,
                folder=folder,
            )
    finally:
        if not begun:
            folder.discard()


async def bring_sources(
    session: Session,
    options: StreamOptions,
    sources: RecordingSources | None,
    *,
    always: bool = False,
) -> str:
    """The snapshot by which pods find what is built; empty when they find it without.

    With ``always``, there is one in any case. Raises SourceError and RegistryError.
    """
    if sources is None or options.snapshot:
        return options.snapshot
    if not always and not _is_local(session.plan.components, sources):
        return ""
    repository = session.images.repository
    release = options.from_release if always else ""  # pods that only build need none
    stored = await store_session(session, sources, repository, from_release=release)
    return stored.reference


def _is_local(nodes: Iterable[ComponentNode], sources: RecordingSources) -> bool:
    """Whether any of ``nodes`` is built from what only this machine has."""
    return any(
        isinstance(node.component.source, FolderSource)
        or (node.commit is not None and node.commit.id in sources.alterations)
        for node in nodes
    )
