# SPDX-License-Identifier: Apache-2.0
"""Everybody who acts outside for a controller: who makes, runs, publishes, removes and builds.

A dry run has the same hands, with each of them replaced by a stand-in (``rehearsing``).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from okd_payload.cli.release.signing_options import given_passphrase
from okd_payload.cli.serving.building import ProcessBuilder, build_command
from okd_payload.cli.serving.payload_jobs import describe_pods
from okd_payload.controller.creation.jobs.maker import JobMaker
from okd_payload.controller.creation.makers import ChosenMaker, Maker, ProcessMaker
from okd_payload.controller.inputs.mirroring import Mirroring, mirror
from okd_payload.controller.publishing.commands import CommandPublisher
from okd_payload.controller.publishing.copying import CopyPublisher
from okd_payload.controller.publishing.image_streams import ImageStreamPublisher
from okd_payload.controller.publishing.publisher import Publisher
from okd_payload.controller.publishing.signing import SignPublisher
from okd_payload.controller.publishing.tagging import TagPublisher
from okd_payload.controller.retention.cleaning import Cleaner
from okd_payload.controller.retention.follower import Cleans
from okd_payload.controller.schedules.builder import Builder
from okd_payload.controller.schedules.promotion import Promoting, promote
from okd_payload.controller.verification.leftovers import ObjectRemover, Removes
from okd_payload.controller.verification.runner import LocalRunner, Runner
from okd_payload.controller.verification.runners import RunnerChoices, make_runners

if TYPE_CHECKING:
    from okd_payload.cli.services import Services
    from okd_payload.cli.serving.assembly import ControllerOptions
    from okd_payload.controller.surroundings import Surroundings

Write = Callable[[Callable[[Any], None]], Awaitable[None]]


class Hands(msgspec.Struct, frozen=True, kw_only=True):
    """Who acts outside."""

    mirroring: Mirroring
    maker: Maker
    runners: Mapping[str, Runner]
    """By kind, as ``publishers``."""
    publishers: Mapping[str, Publisher]
    cleaner: Cleans
    remover: Removes
    promoting: Promoting
    builder: Builder
    close: Callable[[], Awaitable[None]]
    """Ends what still runs of it."""
    wait: Callable[[], Awaitable[bool]]
    """Waits for what still runs of it; whether anything did."""


def make_hands(
    surroundings: Surroundings,
    services: Services,
    options: ControllerOptions,
    *,
    write: Write,
    wake: Callable[[str], None],
    until_lost: Callable[[], Awaitable[None]],
) -> Hands:
    """Those of a controller in earnest.

    ``until_lost`` returns when this instance acts no longer. Raises InvalidReference when the
    image of Jobs is none.
    """
    choices = RunnerChoices(
        documents=services,
        web=services,
        prow_jobs=options.prow_jobs,
        base_url=options.base_url,
        wake=wake,
    )
    builder = ProcessBuilder(
        surroundings.state / "builds",
        command=build_command(services.locations),
        until_lost=until_lost,
    )
    runners = make_runners(surroundings, choices)
    local = [each for each in runners.values() if isinstance(each, LocalRunner)]

    async def wait() -> bool:
        return any([await builder.wait(), *[await each.wait() for each in local]])

    return Hands(
        mirroring=mirror,
        maker=ChosenMaker(
            process=ProcessMaker(surroundings),
            jobs=JobMaker(surroundings, describe_pods(options.pods)),
        ),
        runners=runners,
        publishers=_make_publishers(surroundings, services),
        cleaner=Cleaner(surroundings, write=write),
        remover=ObjectRemover(surroundings),
        promoting=promote,
        builder=builder,
        close=builder.close,
        wait=wait,
    )


def _make_publishers(surroundings: Surroundings, services: Services) -> dict[str, Publisher]:
    given = given_passphrase(None)
    return {
        "tag": TagPublisher(surroundings),
        "copy": CopyPublisher(surroundings),
        "image-stream": ImageStreamPublisher(surroundings),
        "sign": SignPublisher(
            surroundings, services, passphrase=None if given is None else lambda _: given
        ),
        "command": CommandPublisher(surroundings),
    }
