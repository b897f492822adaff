# SPDX-License-Identifier: Apache-2.0
"""What the controller works with: handed to it once, so that tests hand it twins."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import msgspec

from okd_payload.clock import Clock
from okd_payload.cluster import Cluster
from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.controller.inputs.watching import ImageStreamWatches
from okd_payload.controller.locks import Places
from okd_payload.controller.records import Database
from okd_payload.issues import Issue
from okd_payload.oci.location import Location
from okd_payload.oci.repository import Repository
from okd_payload.progress import Progress

OpenLocation = Callable[[Location], Awaitable[Repository]]
"""Gives the repository at a place: a layout, a directory or a registry."""


class Repositories(msgspec.Struct, frozen=True, kw_only=True):
    """Where images are read and written: all that making a payload takes, in a pod too."""

    progress: Progress
    configuration_issues: Callable[[], tuple[Issue, ...]] = tuple
    """What is wrong where they are configured."""
    open_location: OpenLocation
    """To be read, by its mirrors."""
    open_target: OpenLocation
    """To be written."""
    places: Places = msgspec.field(default_factory=Places)
    """Locks on repositories that several streams share."""


class Surroundings(Repositories, frozen=True, kw_only=True):
    """Everything outside the controller that it reads or changes."""

    database: Database
    clock: Clock
    configurations: Callable[[], Mapping[str, StreamConfiguration]]
    """The streams as they are configured now, by name; changes when files do."""
    state: Path
    """Logs, artifacts of runs and scratch files are below it."""
    cluster: Cluster | None = None
    """The cluster whose image streams are watched and whose objects runners make."""
    watches: ImageStreamWatches | None = None
    """Who tells of changes of image streams; without, they are looked at now and then only."""
    instance: str = "controller-0"
    """Who we are among several instances, in leases and logs."""
