# SPDX-License-Identifier: Apache-2.0
"""Every answer is safe to show and says what to do when something failed."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from litestar.testing import AsyncTestClient

from okd_payload.errors import InputError, RecordsUnavailable, RegistryError, UnknownName
from okd_payload.web.problems import problem_of

Client = AsyncTestClient[Any]


async def test_probes_answer(client: Client) -> None:
    """The process is told from its database."""
    for path in ("/healthz", "/readyz"):
        answer = await client.get(path)
        assert (answer.status_code, answer.text) == (200, "ok\n")


async def test_answers_load_nothing_from_elsewhere(client: Client) -> None:
    """Nothing is put into frames, guessed to be a script, or fetched from another host."""
    headers = (await client.get("/healthz")).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


async def test_what_is_not_there_says_so(client: Client) -> None:
    """JSON for interfaces, a page for browsers, text for all else."""
    answer = await client.get("/api/v2/nothing")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert msgspec.json.decode(answer.content)["title"] == "not found"
    answer = await client.get("/nothing")
    assert (answer.status_code, answer.headers["content-type"]) == (
        404,
        "text/plain; charset=utf-8",
    )
    accepted = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    answer = await client.get("/nothing", headers=accepted)
    assert answer.status_code == 404
    assert "<h1>Not found</h1>" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    answer = await client.get("/api/v2/nothing", headers=accepted)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UnknownName("release", "x", known=["y"]), 404),
        (InputError("wrong", hint="do this"), 400),
        (RecordsUnavailable("away"), 503),
        (RegistryError("broken"), 502),
        (ValueError("secret"), 500),
    ],
)
def test_errors_become_problems(error: Exception, status: int) -> None:
    """Ours with their words and hint, and nothing of what nobody foresaw."""
    problem = problem_of(error)
    assert problem.status == status
    assert "secret" not in problem.detail
    if status == 400:
        assert problem.hint == "do this"
