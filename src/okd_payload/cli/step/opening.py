# SPDX-License-Identifier: Apache-2.0
"""What every step after the snapshot begins with: the plan, and the repository of all images."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from okd_payload.build.images import StreamImages
from okd_payload.build.places import Places
from okd_payload.cli.option_groups import option_group
from okd_payload.cli.services import Services
from okd_payload.cli.session import Session, start_session
from okd_payload.cli.stream_options import StreamOptions
from okd_payload.errors import InputError
from okd_payload.oci.location import Location, parse_location

_KINDS = {"content": "images", "releases": "releases"}


class StepOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What ``step_options`` were set to."""

    snapshot: str
    repository: str


step_options = option_group(
    click.option(
        "--snapshot",
        required=True,
        metavar="REPOSITORY@DIGEST",
        help="What `step snapshot` made.",
    ),
    click.option(
        "--repository",
        default="",
        metavar="REPOSITORY",
        help="Where the images are; by default where the stream publishes them.",
    ),
)
"""The options of a step that works on a snapshot; see ``StepOptions``."""


def take_step_options(options: dict[str, Any]) -> StepOptions:
    """Take what belongs to ``StepOptions`` out of ``options``."""
    return StepOptions(snapshot=options.pop("snapshot"), repository=options.pop("repository"))


def find_place(text: str, field: str) -> Location:
    """The repository ``text``, which the stream's ``publish.FIELD`` or an option named.

    Raises InputError when nobody did.
    """
    if not text:
        raise InputError(
            f"nobody says where the {_KINDS[field]} of the stream go",
            hint=f"write `publish.{field}` into the stream file, or give the repository as an "
            "option or parameter",
        )
    return parse_location(text)


async def open_step(services: Services, options: StepOptions) -> Session:
    """The session of the snapshot, with all images in the one repository.

    Raises OkdPayloadError.
    """
    session = await start_session(services, StreamOptions(stream=None, snapshot=options.snapshot))
    name = options.repository or session.catalog.stream.publish.content
    repository = await services.open_target(find_place(name, "content"))
    near = (repository, *(session.base.near if session.base else ()))
    return msgspec.structs.replace(
        session,
        images=StreamImages(repository, session.images.platform),
        places=Places(near, services.open_repository),
    )
