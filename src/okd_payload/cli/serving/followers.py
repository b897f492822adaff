# SPDX-License-Identifier: Apache-2.0
"""What hangs on the passes over streams: publishing, and what else has a rhythm of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from okd_payload.cli.release.signing_options import given_passphrase
from okd_payload.controller.publishing.commands import CommandPublisher
from okd_payload.controller.publishing.copying import CopyPublisher
from okd_payload.controller.publishing.follower import PublishingFollower
from okd_payload.controller.publishing.image_streams import ImageStreamPublisher
from okd_payload.controller.publishing.signing import SignPublisher
from okd_payload.controller.publishing.tagging import TagPublisher

if TYPE_CHECKING:
    from okd_payload.cli.services import Services
    from okd_payload.controller.publishing.publisher import Publisher
    from okd_payload.controller.service.passes import Follower
    from okd_payload.controller.surroundings import Surroundings

Write = Callable[[Callable[[Any], None]], Awaitable[None]]


def make_followers(
    surroundings: Surroundings, services: Services, *, write: Write
) -> tuple[Follower, ...]:
    """Everything that follows passes, in the order in which it is called."""
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
    return (PublishingFollower(surroundings, publishers, write=write, documents=services),)
