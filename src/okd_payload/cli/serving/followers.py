# SPDX-License-Identifier: Apache-2.0
"""What hangs on the passes over streams: publishing, schedules, letting go of what nobody needs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import msgspec

from okd_payload.cli.release.signing_options import given_passphrase
from okd_payload.cli.serving.building import ProcessBuilder, build_command
from okd_payload.controller.publishing.commands import CommandPublisher
from okd_payload.controller.publishing.copying import CopyPublisher
from okd_payload.controller.publishing.follower import PublishingFollower
from okd_payload.controller.publishing.image_streams import ImageStreamPublisher
from okd_payload.controller.publishing.signing import SignPublisher
from okd_payload.controller.publishing.tagging import TagPublisher
from okd_payload.controller.retention.follower import RetentionFollower
from okd_payload.controller.schedules.follower import ScheduleFollower

if TYPE_CHECKING:
    from okd_payload.cli.services import Services
    from okd_payload.controller.publishing.publisher import Publisher
    from okd_payload.controller.service.passes import Follower
    from okd_payload.controller.surroundings import Surroundings

Write = Callable[[Callable[[Any], None]], Awaitable[None]]


class Followers(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that follows a pass."""

    publishing: PublishingFollower
    retention: RetentionFollower
    schedules: ScheduleFollower
    builder: ProcessBuilder

    @property
    def in_order(self) -> tuple[Follower, ...]:
        """As they are called: what was just published is in use, and stays."""
        return (self.publishing, self.schedules, self.retention)


def make_followers(
    surroundings: Surroundings,
    services: Services,
    *,
    write: Write,
    until_lost: Callable[[], Awaitable[None]],
) -> Followers:
    """Those of a controller over ``surroundings``.

    ``until_lost`` returns when this instance acts no longer.
    """
    given = given_passphrase(None)
    publishers: dict[str, Publisher] = {
        "tag": TagPublisher(surroundings),
        "copy": CopyPublisher(surroundings),
        "image-stream": ImageStreamPublisher(surroundings),
        "sign": SignPublisher(
            surroundings, services, passphrase=None if given is None else lambda _: given
        ),
        "command": CommandPublisher(surroundings),
    }
    builder = ProcessBuilder(
        surroundings.state / "builds",
        command=build_command(services.locations),
        until_lost=until_lost,
    )
    return Followers(
        publishing=PublishingFollower(surroundings, publishers, write=write, documents=services),
        retention=RetentionFollower(surroundings, write=write),
        schedules=ScheduleFollower(surroundings, write=write, builder=builder),
        builder=builder,
    )
