# SPDX-License-Identifier: Apache-2.0
"""What tests of the served parts need: tokens, releases, and the table of routes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute
from rig import STREAM, Rig

from okd_payload.controller.model import FrozenInput, Phase, Release, VerificationRun
from okd_payload.controller.records import releases, runs
from okd_payload.web.access.tokens import mint_token

DIGEST = "sha256:" + "a" * 64
NOW = 1_700_000_000.0


async def token_for(rig: Rig, *roles: str, name: str = "somebody") -> dict[str, str]:
    """The header that shows a new token with ``roles``."""
    minted = await mint_token(rig.surroundings, name, roles=roles, seconds=3600, actor="tests")
    return {"Authorization": f"Bearer {minted.text}"}


async def add_release(
    rig: Rig, number: int = 0, *, phase: Phase = Phase.READY, stream: str = STREAM, commit: str = ""
) -> Release:
    """A release of ``stream``, with two images, that has come as far as ``phase``."""
    created = NOW - 3600 + number
    release = Release(
        name=f"{stream}-{number:04}",
        stream=stream,
        created=created,
        changed=created,
        input_hash=f"sha256:{number:064}",
    )
    frozen = [
        FrozenInput(
            tag=tag,
            digest=f"sha256:{number if tag == 'etcd' else 0:064}",
            reference=f"quay.test/okd/scos@sha256:{number:064}",
            source="https://github.com/example/etcd",
            commit=commit or f"{number:040}",
        )
        for tag in ("etcd", "operator")
    ]
    steps = {
        Phase.PENDING: (),
        Phase.READY: (Phase.READY,),
        Phase.ACCEPTED: (Phase.READY, Phase.ACCEPTED),
        Phase.REJECTED: (Phase.READY, Phase.REJECTED),
        Phase.FAILED: (Phase.FAILED,),
    }[phase]

    def unit(connection: Any) -> Release:
        releases.create(connection, release, frozen)
        moved = msgspec.structs.replace(
            release, digest=DIGEST, pull_spec=f"quay.test/okd/release@{DIGEST}"
        )
        for step, after in enumerate(steps, 1):
            moved = releases.move(connection, moved, after, time=created + 60 * step)
        return moved

    return await rig.database.write(unit)


async def add_run(rig: Rig, release: Release, **fields: Any) -> VerificationRun:
    """A run of ``release``: manual, and running."""
    values: dict[str, Any] = {
        "id": f"{release.name}-check",
        "verification": "check",
        "runner": "manual",
        "queued": NOW,
    }
    run = VerificationRun(release=release.name, **(values | fields))
    await rig.database.write(lambda unit: runs.write(unit, run, time=NOW))
    return run


def handlers_of(application: Litestar) -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    """Path, method and handler of everything that the application answers."""
    for route in application.routes:
        if isinstance(route, HTTPRoute):
            for handler in route.route_handlers:
                for method in sorted(handler.http_methods):
                    if method != "OPTIONS":
                        yield route.path, method, handler
