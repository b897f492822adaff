# SPDX-License-Identifier: Apache-2.0
"""From the options of a command to everything that planning and building a stream takes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from okd_payload.build.base_release import BaseRelease, freeze_over, load_base
from okd_payload.build.bootstrap import pin_release, take_shared
from okd_payload.build.change_set import ChangeSet, apply_change_set, read_change_set
from okd_payload.build.contribution import make_catalog
from okd_payload.build.engine import Engine
from okd_payload.build.freeze import FrozenPlan, freeze
from okd_payload.build.images import StreamImages
from okd_payload.build.imports import Importer
from okd_payload.build.maker import Maker
from okd_payload.build.places import Places
from okd_payload.build.plan import Plan, component_name
from okd_payload.build.steps import Steps
from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.load import STREAM_FILE, load_catalog
from okd_payload.catalog.parameters import StreamParameters
from okd_payload.catalog.stream import Publish
from okd_payload.cli.services import Services
from okd_payload.cli.snapshots import find_snapshot
from okd_payload.cli.stream_checks import check_options, no_stream, no_stream_to_change
from okd_payload.cli.stream_options import StreamOptions
from okd_payload.engines.buildah import BuildahEngine, BuildahSettings
from okd_payload.errors import InputError, UnknownName
from okd_payload.oci.layout import LayoutRepository
from okd_payload.oci.location import LayoutLocation, RegistryLocation, parse_location
from okd_payload.oci.manifest import Platform
from okd_payload.oci.platform import host_platform, parse_platform
from okd_payload.oci.repository import Repository
from okd_payload.source.lock import Lock, read_lock

if TYPE_CHECKING:
    from okd_payload.build.impact.prepare import Prepared


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A stream with its frozen plan, and the repositories that its images are in."""

    frozen: FrozenPlan
    given: Lock
    """The lock that was asked for; empty without one."""
    images: StreamImages
    releases: Repository
    places: Places
    change: ChangeSet
    forced: frozenset[str]
    base: BaseRelease | None = None
    impact: Prepared | None = None
    """What a change reaches; None when none was asked for."""
    overridden: bool = False
    """Whether sources were changed when the snapshot was made that this comes from."""

    @property
    def catalog(self) -> Catalog:
        """The stream and its components, changes made."""
        return self.frozen.catalog

    @property
    def plan(self) -> Plan:
        """The plan, inputs frozen."""
        return self.frozen.plan

    @property
    def folder(self) -> Path:
        """The folder of the stream file; the current one when there is none."""
        return Path(self.catalog.path).parent


def find_catalog(
    options: StreamOptions, *, parameters: StreamParameters | None = None
) -> Catalog | None:
    """The catalog that ``options`` name, or that of the current folder, None without either.

    Raises InputError.
    """
    path = options.stream or Path()
    if options.stream is None and not (path / STREAM_FILE).exists():
        return None
    if options.content or options.releases:
        raise InputError(
            "--content and --releases are for builds without a stream file",
            hint=f"{path} says where its images are published, under `publish`",
        )
    return load_catalog(path, parameters=parameters or StreamParameters())


async def start_session(
    services: Services, options: StreamOptions, *, parameters: StreamParameters | None = None
) -> Session:
    """Freeze the plan that ``options`` ask for, or take that of a snapshot.

    ``parameters`` are for the stream file. Raises OkdPayloadError.
    """
    check_options(options)
    if options.snapshot:
        return await _start_from_snapshot(services, options)
    change = read_change_set(
        components=options.components,
        dockerfiles=options.dockerfiles,
        substitutions=options.substitutions,
        directory=Path(),
    )
    given = read_lock(options.lock) if options.lock else Lock()
    catalog = find_catalog(options, parameters=parameters)
    base = None
    if catalog is not None:
        catalog = apply_change_set(change, catalog)
        if options.from_release:
            base = await _load_base(services, options.from_release)
    elif options.changes and options.from_release:
        from okd_payload.build.impact.released import make_catalog_of

        base = await _load_base(services, options.from_release)
        catalog = await make_catalog_of(
            base,
            substitutions=change.substitutions,
            publish=read_publish(options.content, options.releases),
            sources=services.sources,
        )
    elif options.changes:
        raise no_stream_to_change()
    elif options.from_release and not options.with_dependants:
        publish = read_publish(options.content, options.releases)
        base = await _load_base(services, options.from_release)
        catalog = await make_catalog(
            base,
            change,
            publish=publish,
            sources=services.sources,
            lock=given,
            progress=services.tell,
        )
    else:
        raise no_stream(options)
    return await _freeze(services, options, catalog, change=change, base=base, given=given)


async def _start_from_snapshot(services: Services, options: StreamOptions) -> Session:
    """The session that a snapshot was made of; nothing is planned again."""
    snapshot = await find_snapshot(services, options.snapshot)
    document = snapshot.document
    await snapshot.unpack_files()
    services.sources = snapshot.sources(services.sources)
    stream = document.frozen.catalog.stream
    images = await open_images(services, options.repository, stream.name)
    releases = LayoutRepository(services.locations.releases(stream.name))
    base = None
    if document.from_release:
        base = await _load_base(services, document.from_release)
    near = (images, releases, *(base.near if base else ()))
    return Session(
        frozen=document.frozen,
        given=document.given,
        images=StreamImages(images, document.platform),
        releases=releases,
        places=Places(near, services.open_repository),
        change=ChangeSet(),
        forced=_find_forced(document.frozen.plan, options.forced),
        base=base,
        overridden=document.overridden,
    )


def read_publish(content: str, releases: str) -> Publish:
    """The repositories that --content and --releases name. Raises InputError."""
    try:
        return Publish(content=content, releases=releases)
    except ValueError as error:
        raise InputError(
            f"--{error}", hint="write HOST/PATH, as in quay.io/me/okd-content"
        ) from error


async def _load_base(services: Services, text: str) -> BaseRelease:
    location = parse_location(text)
    return await load_base(location, await services.open_location(location))


async def _load_start(services: Services, catalog: Catalog, given: Lock) -> BaseRelease:
    """The release that the stream begins with, the one that was locked where there is a lock."""
    name = catalog.stream.bootstrap.release
    location = parse_location(name)
    locked = given.images.get(name)
    if isinstance(location, LayoutLocation):
        path = Path(catalog.path).parent / location.path
        location = LayoutLocation(path=path, tag=location.tag, digest=location.digest)
        if locked:
            location = LayoutLocation(path=path, digest=locked.digest)
    elif isinstance(location, RegistryLocation) and locked:
        location = RegistryLocation(location.reference.with_digest(locked.digest))
    return await load_base(location, await services.open_location(location))


async def _freeze(
    services: Services,
    options: StreamOptions,
    catalog: Catalog,
    *,
    change: ChangeSet,
    base: BaseRelease | None,
    given: Lock,
) -> Session:
    platform = parse_platform(options.platform) if options.platform else host_platform()
    images = await open_images(services, options.repository, catalog.stream.name)
    releases = LayoutRepository(services.locations.releases(catalog.stream.name))
    prepared = None
    if options.changes:
        prepared = await _prepare(services, options, catalog, platform=platform, given=given)
        catalog = prepared.catalog
    start = None
    if base is None and catalog.stream.bootstrap.release:
        start = await _load_start(services, catalog, given)
        built = prepared.names if prepared else change.sources
        catalog = take_shared(catalog, start, built=built)
    beside = base or start
    near = (images, releases, *(beside.near if beside else ()))
    places = Places(near, services.open_repository)
    frozen = await _freeze_plan(
        services,
        options,
        catalog,
        change=change,
        base=base,
        prepared=prepared,
        places=places,
        platform=platform,
        given=given,
    )
    if start is not None:
        lock = pin_release(frozen.lock, catalog.stream.bootstrap.release, start)
        frozen = msgspec.structs.replace(frozen, lock=lock)
    return Session(
        frozen=frozen,
        given=given,
        images=StreamImages(images, platform),
        releases=releases,
        places=places,
        change=change,
        forced=_find_forced(frozen.plan, options.forced),
        base=base,
        impact=prepared,
    )


async def open_images(services: Services, repository: str, stream: str) -> Repository:
    """Where the images of ``stream`` are, by what --repository says. Raises InputError."""
    if not repository:
        return LayoutRepository(services.locations.images(stream))
    location = parse_location(repository)
    if location.selector:
        raise InputError(
            f"--repository is a repository: {repository} has a tag or digest",
            hint="leave it away",
        )
    return await services.open_target(location)


async def _freeze_plan(
    services: Services,
    options: StreamOptions,
    catalog: Catalog,
    *,
    change: ChangeSet,
    base: BaseRelease | None,
    prepared: Prepared | None,
    places: Places,
    platform: Platform,
    given: Lock,
) -> FrozenPlan:
    """The plan of ``catalog``, frozen: with changes of libraries, of components, or with none."""
    if prepared is not None:
        from okd_payload.build.impact.prepare import freeze_changes

        return await freeze_changes(
            msgspec.structs.replace(prepared, catalog=catalog),
            base=base,
            sources=services.sources,
            resolve=places.resolve,
            platform=platform,
            lock=given,
        )
    if base is None:
        return await freeze(
            catalog,
            sources=services.sources,
            resolve=places.resolve,
            platform=platform,
            lock=given,
        )
    return await freeze_over(
        catalog,
        base,
        change,
        with_dependants=options.with_dependants,
        sources=services.sources,
        resolve=places.resolve,
        platform=platform,
        lock=given,
    )


async def _prepare(
    services: Services,
    options: StreamOptions,
    catalog: Catalog,
    *,
    platform: Platform,
    given: Lock,
) -> Prepared:
    """Everything that the changes of ``options`` reach, changed."""
    from okd_payload.build.impact.change import read_changes
    from okd_payload.build.impact.prepare import prepare_changes
    from okd_payload.build.impact.reach import Selection

    return await prepare_changes(
        catalog,
        read_changes(options.changes, catalog=catalog, directory=Path()),
        selection=Selection(depth=options.depth, only=options.only, skip=options.skipped),
        sources=services.sources,
        platform=platform,
        lock=given,
    )


def make_maker(
    session: Session,
    services: Services,
    *,
    settings: BuildahSettings | None = None,
    engine: Engine | None = None,
) -> Maker:
    """What makes the images of ``session``: by default with buildah on this machine."""
    local = BuildahEngine(
        repository=session.images.repository,
        sources=services.sources,
        locations=services.locations,
        settings=settings,
    )
    return Maker(
        engine=engine or local,
        images=session.images,
        importer=Importer(session.images, session.places.repository_of, services.tell),
        steps=Steps(session.catalog, session.images),
        clock=services.clock,
        progress=services.tell,
        forced=session.forced,
        moves_tags=session.change == ChangeSet()
        and session.base is None
        and session.impact is None
        and not session.overridden,
    )


def _find_forced(plan: Plan, names: Iterable[str]) -> frozenset[str]:
    """The nodes that ``names`` mean: by tag or by component, or all. Raises UnknownName."""
    wanted = set(names)
    if "all" in wanted:
        return frozenset(plan.nodes)
    called = {component_name(node): name for name, node in plan.nodes.items()}
    known = called | {name: name for name in plan.nodes}
    for name in sorted(wanted - known.keys()):
        raise UnknownName("image", name, known=known)
    return frozenset(known[name] for name in wanted)
