# SPDX-License-Identifier: Apache-2.0
"""Builds by an ordinary user, with subordinate ids and without any other right."""

from __future__ import annotations

import asyncio
import subprocess

import pytest

pytestmark = pytest.mark.integration

OWNERS = (
    "FROM base\n"
    "RUN touch /nobody && chown 65534:1000 /nobody && chmod 4711 /nobody\n"
    "RUN rm -r /srv/removed /tmp && mkdir /tmp && mkdir -m 700 /private && chown 5 /private\n"
    "COPY --chown=7:8 file /private/\n"
)


async def test_an_ordinary_user_builds_the_same_image(room, stranger) -> None:
    """With network or without, all that an image has is the same; nothing else is left."""
    expected = await room.build(OWNERS)

    for network in ("host", "none"):
        command = stranger.command(OWNERS, network=network)
        built = await asyncio.to_thread(
            subprocess.run, command, capture_output=True, text=True, check=False
        )
        assert built.stdout == expected.digest, built.stderr
    members = await room.members(expected.layers[-1])
    assert (members["nobody"].uid, members["nobody"].gid) == (65534, 1000)
    assert list(stranger.workspaces.iterdir()) == []
    assert {path.name for path in stranger.home.iterdir()} <= {"images", "log", "state"}
