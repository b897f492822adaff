# SPDX-License-Identifier: Apache-2.0
"""The recorded cases that the API server itself decides: names, labels, places, definitions.

Cases that a webhook of Tekton refuses, or fills in, are held in tests/testing/tekton.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from okd_payload.cluster.kinds import TASK
from okd_payload.testing.kubernetes import SimulatedCluster
from okd_payload.testing.kubernetes.server import KubernetesServer

_FOLDER = Path(__file__).resolve().parents[4] / "shared" / "data" / "tekton-admission" / "cases"
_WEBHOOK = "admission webhook"
_GIVEN_BY_THE_SERVER = ("creationTimestamp", "uid", "managedFields", "resourceVersion")


def _read(case: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((_FOLDER / f"{case}.json").read_text())
    return found


def _names(*, tekton: bool, accepted: bool) -> list[str]:
    """The cases of Tekton's kinds, or of others, that were accepted, or refused by no webhook."""
    chosen = []
    for path in sorted(_FOLDER.glob("*.json")):
        case = _read(path.stem)
        of_tekton = "/apis/tekton.dev/" in case["request"]
        refused = case["http"] >= 400 and _WEBHOOK not in case.get("message", "")
        if of_tekton is tekton and (case["http"] == 201 if accepted else refused):
            chosen.append(path.stem)
    return chosen


@pytest.fixture
async def server(definitions):
    """A server with the kinds of Tekton and Shipwright."""
    cluster = SimulatedCluster()
    cluster.install(*definitions)
    cluster.add_namespace("builds")
    cluster.create(TASK, {"metadata": {"name": "exists-already", "namespace": "builds"}})
    async with KubernetesServer(cluster) as running:
        yield running


async def _send(server: KubernetesServer, case: str) -> tuple[int, Any]:
    method, _, path = _read(case)["request"].partition(" ")
    text = (_FOLDER / f"{case}.yaml").read_text().replace("@BIG300K@", "x" * 300 * 1024)
    body = json.dumps(yaml.safe_load(text)).encode()
    headers = {
        "Authorization": f"Bearer {server.token()}",
        "Content-Type": "application/json",
    }
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.request(method, server.url + path, data=body) as answer,
    ):
        content = await answer.text()
        return answer.status, json.loads(content) if content[:1] == "{" else content


@pytest.mark.parametrize(
    "case", [*_names(tekton=True, accepted=False), *_names(tekton=False, accepted=False)]
)
async def test_what_the_server_refuses(server, case):
    """Code, message and causes are those of the real server."""
    code, answer = await _send(server, case)
    recorded = _read(case)
    assert (code, answer) == (recorded["http"], recorded["status"])


@pytest.mark.parametrize("case", _names(tekton=False, accepted=True))
async def test_what_the_server_accepts(server, case):
    """Objects of kinds without a webhook come back as from the real server."""
    code, answer = await _send(server, case)
    recorded = _read(case)["object"]
    for name in _GIVEN_BY_THE_SERVER:
        for document in (answer, recorded):
            document["metadata"].pop(name, None)
    assert (code, answer) == (201, recorded)
