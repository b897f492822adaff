# SPDX-License-Identifier: Apache-2.0
"""From the options of a command to everything that planning and building a stream takes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from okd_payload.build.freeze import FrozenPlan, freeze, override_sources
from okd_payload.build.images import StreamImages
from okd_payload.build.imports import Importer
from okd_payload.build.maker import Maker
from okd_payload.build.plan import Plan
from okd_payload.build.steps import Steps
from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.load import STREAM_FILE, load_catalog
from okd_payload.cli.services import Services, parse_platform
from okd_payload.cli.stream_options import StreamOptions
from okd_payload.engines.buildah import BuildahEngine, BuildahSettings
from okd_payload.errors import InputError, UnknownName
from okd_payload.oci.layout import LayoutRepository
from okd_payload.progress import Progress
from okd_payload.source.lock import Lock, read_lock
from okd_payload.source.model import Source
from okd_payload.source.overrides import parse_overrides


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A stream with its frozen plan, and the repository that its images are in."""

    catalog: Catalog
    frozen: FrozenPlan
    given: Lock
    """The lock that was asked for; empty without one."""
    images: StreamImages
    overrides: dict[str, Source]
    forced: frozenset[str]

    @property
    def plan(self) -> Plan:
        """The plan, inputs frozen."""
        return self.frozen.plan


def read_catalog(options: StreamOptions) -> Catalog:
    """The catalog that ``options`` name, of the current folder by default. Raises InputError."""
    path = options.stream or Path()
    if options.stream is None and not (path / STREAM_FILE).exists():
        raise InputError(
            "no stream was named, and there is no stream.yaml here",
            hint="name one, as in `okd-payload build examples/quickstart/stream.yaml`",
        )
    return load_catalog(path)


async def start_session(
    services: Services,
    options: StreamOptions,
    *,
    catalog: Catalog,
    overridden_only: bool = False,
    with_dependants: bool = False,
) -> Session:
    """Freeze the plan of ``catalog``.

    With ``overridden_only`` the plan has the overridden components (``with_dependants``: and
    what is built on them) and what they are built on.
    """
    platform = parse_platform(options.platform)
    overrides = parse_overrides(options.components, directory=Path())
    changed = override_sources(catalog, overrides)
    given = read_lock(options.lock) if options.lock else Lock()
    frozen = await freeze(
        changed,
        sources=services.sources,
        resolve=services.resolve,
        platform=platform,
        lock=given,
        only=_tags_of(changed, overrides) if overridden_only else (),
        with_dependants=with_dependants,
    )
    images = StreamImages(
        LayoutRepository(services.locations.images(catalog.stream.name)), platform
    )
    return Session(
        catalog=changed,
        frozen=frozen,
        given=given,
        images=images,
        overrides=overrides,
        forced=_forced(frozen.plan, options.forced),
    )


def make_maker(
    session: Session,
    services: Services,
    progress: Progress,
    *,
    settings: BuildahSettings | None = None,
) -> Maker:
    """What makes the images of ``session``, with buildah on this machine."""
    engine = BuildahEngine(
        repository=session.images.repository,
        sources=services.sources,
        locations=services.locations,
        settings=settings,
    )
    return Maker(
        engine=engine,
        images=session.images,
        importer=Importer(session.images, services.open_repository, progress),
        steps=Steps(session.catalog, session.images),
        clock=services.clock,
        progress=progress,
        forced=session.forced,
        moves_tags=not session.overrides,
    )


def _tags_of(catalog: Catalog, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(catalog.component(name).tag for name in names)


def _forced(plan: Plan, names: Iterable[str]) -> frozenset[str]:
    wanted = frozenset(names)
    if wanted == {"all"}:
        return frozenset(plan.nodes)
    for name in sorted(wanted - set(plan.nodes)):
        raise UnknownName("image", name, known=plan.nodes)
    return wanted
