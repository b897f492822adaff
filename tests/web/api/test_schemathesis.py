# SPDX-License-Identifier: Apache-2.0
"""Whatever is asked, the interface answers as its description says, and never with a 5xx."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from asking import add_release, add_run, token_for
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from rig import STREAM, Rig
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from okd_payload.controller.model import Phase
from okd_payload.web.access.settings import AccessSettings, NotificationSettings, SiteSettings
from okd_payload.web.application import make_application
from okd_payload.web.site import Site

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
ENDLESS = "/api/v2/events"
"""Answers until whoever asks goes away."""
REAL = {
    "name": f"{STREAM}-0000",
    "stream": STREAM,
    "component": "etcd",
    "run_id": f"{STREAM}-0000-check",
    "token_id": "nobody",
    "file": "junit.xml",
}
RANGE = "bytes=2-5"
QUICK = settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


class Served:
    """The interface over some records, and the token of an administrator."""

    def __init__(self, folder: Path) -> None:
        self.rig = Rig(folder)
        settings_of_site = SiteSettings(
            access=AccessSettings(attempts=1_000_000),
            notifications=NotificationSettings(secret="a secret"),
        )
        site = Site(surroundings=self.rig.surroundings, settings=settings_of_site)
        self.application = make_application(site, parts=("health", "api", "events", "downloads"))
        self.headers = asyncio.run(self._fill())

    async def _fill(self) -> dict[str, str]:
        for number, phase in enumerate(Phase):
            release = await add_release(self.rig, number, phase=phase)
            if number == 0:
                await add_run(
                    self.rig,
                    release,
                    log=f"runs/{release.name}-check/log",
                    artifacts=(f"runs/{release.name}-check/junit.xml",),
                )
        folder = self.rig.surroundings.state / "runs" / f"{STREAM}-0000-check"
        folder.mkdir(parents=True)
        (folder / "log").write_bytes(b"\x1b[31m\x00 line\n" * 1000)
        (folder / "junit.xml").write_bytes(b"<testsuite/>")
        return await token_for(self.rig, "administrator")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The interface, for all tests of this module."""
    made = Served(tmp_path_factory.mktemp("state"))
    yield made
    asyncio.run(made.rig.database.close())


@pytest.fixture(scope="module")
def operations(served: Served) -> list[Any]:
    """Everything that the interface says can be asked."""
    described = schemathesis.openapi.from_asgi("/api/schema/openapi.json", served.application)
    found = [result.ok() for result in described.get_all_operations()]
    return [operation for operation in found if operation.path != ENDLESS]


def ask(operation: Any, examine: Callable[[Any], None]) -> None:
    """Let ``examine`` ask what fits the description, and what does not."""
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

        @QUICK
        @given(case=operation.as_strategy(generation_mode=mode))
        def asked(case: Any) -> None:
            examine(case)

        try:
            asked()
        except Unsatisfiable:  # nothing that does not fit can be asked of it
            assert mode is GenerationMode.NEGATIVE


@pytest.mark.slow
def test_anything_is_answered_as_described(served, operations):
    """By an administrator, about anything and about what is there; and nobody changes anything."""

    def examine(case: Any) -> None:
        case.validate_response(case.call(headers=served.headers), checks=CHECKS)
        known = dict(case.path_parameters or {})
        if known and not case.path.endswith("/tools"):  # outlives the loop of one request
            case.path_parameters = {name: REAL.get(name, text) for name, text in known.items()}
            if "Range" in (case.headers or {}):
                case.headers = {**case.headers, "Range": RANGE}
            case.validate_response(case.call(headers=served.headers), checks=CHECKS)
        if case.method != "GET":
            answer = case.call()
            case.validate_response(answer, checks=CHECKS)
            assert answer.status_code in {400, 401, 403}

    assert len(operations) > 30
    for operation in operations:
        ask(operation, examine)
