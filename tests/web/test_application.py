# SPDX-License-Identifier: Apache-2.0
"""Every answer is safe to show and says what to do when something failed."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from asking import add_release
from litestar.testing import AsyncTestClient
from rig import STREAM, Rig

from okd_payload.errors import InputError, RecordsUnavailable, RegistryError, UnknownName
from okd_payload.web.problems import problem_of

Client = AsyncTestClient[Any]


async def test_probes_answer(client: Client) -> None:
    """The process is told from its database."""
    for path in ("/healthz", "/readyz"):
        answer = await client.get(path)
        assert (answer.status_code, answer.text) == (200, "ok\n")


async def test_whoever_asks_for_the_head_gets_it_without_the_rest(client: Client, rig: Rig) -> None:
    """Of every page and of what lies beside them, as monitors and programs that fetch ask."""
    release = await add_release(rig)
    paths = ("/", f"/releasestream/{STREAM}", f"/releasestream/{STREAM}/release/{release.name}")
    paths += (f"/releasetag/{release.name}", "/compare", "/search?q=x", "/component/machine-api")
    paths += ("/runs", "/sign-in", "/healthz", "/readyz", "/metrics", "/feeds/all.atom")
    for path in paths:
        whole, head = await client.get(path), await client.head(path)
        assert (head.status_code, head.content) == (whole.status_code, b""), path
        assert head.headers["content-type"] == whole.headers["content-type"]
        if "etag" in head.headers:
            assert head.headers["etag"] == whole.headers["etag"]


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
    told = msgspec.json.decode(answer.content)
    assert (told["title"], "/api/schema" in told["hint"]) == ("not found", True)
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
