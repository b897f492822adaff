# SPDX-License-Identifier: Apache-2.0
"""The controller put together: database, streams, runners and followers, over the services.

The holder of a lease is one process: two that were given the same name by mistake are still two.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

import msgspec

from okd_payload.cli.serving.hands import Hands, make_hands
from okd_payload.cli.serving.payload_jobs import JobPods
from okd_payload.controller.configuration.checks import check_surroundings
from okd_payload.controller.configuration.cluster import ClusterStreams, Configurations, combine
from okd_payload.controller.configuration.folder import StreamFolder
from okd_payload.controller.inputs.watching import ImageStreamWatches
from okd_payload.controller.publishing.follower import PublishingFollower
from okd_payload.controller.records import Database, open_database
from okd_payload.controller.records.copying import copy_records
from okd_payload.controller.records.database import open_existing
from okd_payload.controller.retention.follower import RetentionFollower
from okd_payload.controller.schedules.follower import ScheduleFollower
from okd_payload.controller.service import Service
from okd_payload.controller.surroundings import Surroundings
from okd_payload.controller.verification.afterwards import LateRuns
from okd_payload.controller.verification.external import ExternalResults
from okd_payload.controller.verification.leftovers import Leftovers
from okd_payload.controller.verification.verifier import RunnerVerifier
from okd_payload.errors import InputError, RecordsUnavailable
from okd_payload.issues import Issue

if TYPE_CHECKING:
    from pathlib import Path

    from okd_payload.cli.services import Services
    from okd_payload.cluster import Cluster

_log = logging.getLogger(__name__)

_PATIENCE_SECONDS = 60.0
_PAUSE_SECONDS = 2.0
CONTROLLER_FOLDER = "controller"
"""Below the state folder: the database of one instance, logs of runs, scratch files."""


class ControllerOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line says about a controller."""

    streams: Path
    database: str = ""
    """Empty for the one in the state folder."""
    instance: str = ""
    lease_seconds: float = 15.0
    base_url: str = ""
    """Where people and webhooks reach the server; empty when it does not know."""
    annotated: tuple[str, ...] = ()
    """Namespaces of the cluster whose image streams configure release streams."""
    prow_jobs: Path | None = None
    """The folder with the job definitions of Prow, where there is one."""
    pods: JobPods = JobPods()
    """What Jobs that make payloads run."""


@contextlib.asynccontextmanager
async def open_surroundings(
    options: ControllerOptions,
    services: Services,
    cluster: Cluster | None = None,
    *,
    copies: bool = False,
) -> AsyncIterator[Surroundings]:
    """What a controller works with, until the end of the block.

    With ``copies``, the records are a copy in memory, and those that there are stay as they are.

    Raises InputError for a folder or database that is none, RecordsError, and ClusterError when
    the streams of a cluster cannot be read.
    """
    state = services.locations.state / CONTROLLER_FOLDER
    streams = StreamFolder(options.streams)
    watches = ImageStreamWatches(cluster, services.clock) if cluster is not None else None
    configurations, issues, following = await _with_annotated(
        streams, options, services, cluster=cluster, watches=watches
    )

    def out_of_place() -> tuple[Issue, ...]:
        return check_surroundings(configurations(), has_cluster=cluster is not None)

    for issue in out_of_place():
        _log.warning("%s", issue.message)
    url = options.database or f"sqlite:///{state / 'records.db'}"
    database = await (_copy_database(url) if copies else _open_database(url, services))
    try:
        yield Surroundings(
            database=database,
            clock=services.clock,
            progress=services.tell,
            configurations=configurations,
            configuration_issues=lambda: (*issues(), *out_of_place()),
            open_location=services.open_location,
            open_target=services.open_target,
            state=state,
            cluster=cluster,
            watches=watches,
            instance=name_instance(options.instance),
        )
    finally:
        if watches is not None:
            await watches.close()
        if following is not None:
            following.cancel()
        await database.close()


async def _with_annotated(
    streams: StreamFolder,
    options: ControllerOptions,
    services: Services,
    *,
    cluster: Cluster | None,
    watches: ImageStreamWatches | None,
) -> tuple[Configurations, Callable[[], tuple[Issue, ...]], asyncio.Task[None] | None]:
    """The streams of files and of image streams, what is wrong there, and what follows these."""
    if not options.annotated:
        return streams, lambda: streams.issues, None
    if cluster is None or watches is None:
        raise InputError(
            f"the image streams of {', '.join(options.annotated)} are in a cluster, and none is"
            " known here",
            hint="say --cluster, or name it with --kubeconfig",
        )
    annotated = ClusterStreams(cluster, options.annotated)
    await annotated.refresh()
    for issue in annotated.issues:
        _log.warning("%s: %s", issue.file, issue.message)
    watches.listen(annotated.note_change)
    watches.want("annotations", options.annotated)
    following = asyncio.create_task(annotated.follow(services.clock))
    return combine(streams, annotated), lambda: (*streams.issues, *annotated.issues), following


class Controller(msgspec.Struct, frozen=True, kw_only=True):
    """The controller, and who acts for it."""

    service: Service
    hands: Hands


def make_controller(
    surroundings: Surroundings,
    services: Services,
    options: ControllerOptions,
    *,
    patience: float | None = None,
    stand_in: Callable[[Hands], Hands] = lambda hands: hands,
) -> Controller:
    """The controller over ``surroundings``, with every runner and follower that there is.

    Passes wait ``patience`` seconds for long work, to its end without. Who acts for it is what
    ``stand_in`` makes of those who would. Raises InvalidReference when the image of Jobs is none.
    """

    async def write(unit: Callable[[Any], None]) -> None:
        await service.leadership.write(unit)

    async def until_lost() -> None:
        leadership = service.leadership
        async with leadership.changed:
            await leadership.changed.wait_for(lambda: not leadership.is_acting)

    def wake(stream: str) -> None:
        service.nudge(stream)

    hands = stand_in(
        make_hands(surroundings, services, options, write=write, wake=wake, until_lost=until_lost)
    )
    verifier = RunnerVerifier(surroundings, hands.runners, write=write)
    followers = (
        LateRuns(surroundings, verifier),
        Leftovers(surroundings, hands.remover, write=write),
        ExternalResults(surroundings, write=write),
        # in this order, because what was just published is in use, and stays
        PublishingFollower(surroundings, hands.publishers, write=write, documents=services),
        ScheduleFollower(
            surroundings, write=write, builder=hands.builder, promoting=hands.promoting
        ),
        RetentionFollower(surroundings, write=write, cleaner=hands.cleaner),
    )
    service = Service(
        surroundings,
        verifier=verifier,
        followers=followers,
        maker=hands.maker,
        mirroring=hands.mirroring,
        patience=patience,
        lease_seconds=options.lease_seconds,
    )
    return Controller(service=service, hands=hands)


def name_instance(name: str) -> str:
    """``name``, or that of this machine, and something that no other process has."""
    return f"{name or socket.gethostname()}/{secrets.token_hex(4)}"


async def _copy_database(url: str) -> Database:
    """A copy of the database in memory. Raises InputError, RecordsError."""
    origin = open_existing(url)
    try:
        return await copy_records(origin)
    finally:
        if origin is not None:
            await origin.close()


async def _open_database(url: str, services: Services) -> Database:
    """The database; one that is just starting up is waited for.

    Raises InputError, RecordsError.
    """
    deadline = services.clock.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return open_database(url)
        except RecordsUnavailable as error:
            if services.clock.monotonic() >= deadline:
                raise
            _log.warning("%s", error.message)
        await services.clock.wait(_PAUSE_SECONDS)
