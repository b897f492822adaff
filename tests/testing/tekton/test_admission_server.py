# SPDX-License-Identifier: Apache-2.0
"""The whole of a cluster with Tekton, through HTTP: schemas, server and webhooks together."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
import yaml

from okd_payload.cluster.kinds import TASK
from okd_payload.testing.kubernetes.server import KubernetesServer
from okd_payload.testing.kubernetes.simulated_cluster import SimulatedCluster
from okd_payload.testing.tekton.admission.legacy import convert
from okd_payload.testing.tekton.admission.plugin import add_tekton

_DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
_CASES = _DATA / "tekton-admission" / "cases"
_GIVEN_BY_THE_SERVER = ("creationTimestamp", "uid", "managedFields", "resourceVersion", "name")


def _read_case(name: str) -> tuple[bytes, dict[str, Any]]:
    text = (_CASES / f"{name}.yaml").read_text().replace("@BIG300K@", "x" * 300 * 1024)
    expected = msgspec.json.decode((_CASES / f"{name}.json").read_bytes())
    return msgspec.json.encode(yaml.safe_load(text)), expected


def _without_what_differs(document: dict[str, Any]) -> dict[str, Any]:
    metadata = {
        key: it for key, it in document["metadata"].items() if key not in _GIVEN_BY_THE_SERVER
    }
    return {**document, "metadata": metadata}


async def test_every_case_is_answered_as_by_a_real_cluster():
    """Codes and whole answers are the recorded ones, for all requests about Tekton's kinds."""
    if not _CASES.is_dir():
        pytest.skip("the recordings of a real cluster are not here")
    cluster = SimulatedCluster()
    cluster.install(*await asyncio.to_thread(_definitions))
    add_tekton(cluster)
    cluster.add_namespace("builds")
    cluster.create(
        TASK, {"metadata": {"name": "exists-already"}, "spec": _TASK}, namespace="builds"
    )
    different: dict[str, tuple[Any, Any]] = {}
    async with KubernetesServer(cluster) as server:
        headers = {"Authorization": f"Bearer {server.token()}", "Content-Type": "application/json"}
        async with aiohttp.ClientSession(headers=headers) as session:
            for name in await asyncio.to_thread(_names):
                body, expected = await asyncio.to_thread(_read_case, name)
                path = expected["request"].removeprefix("POST ")
                async with session.post(server.url + path, data=body) as answer:
                    text = await answer.text()
                    found = msgspec.json.decode(text) if text.startswith("{") else text
                    told: Any = (answer.status, found)
                wanted: Any = (expected["http"], expected.get("status"))
                if answer.status < 300 and expected["http"] < 300:
                    told = _without_what_differs(found)
                    wanted = _without_what_differs(expected["object"])
                if told != wanted:
                    different[name] = (told, wanted)
    assert different == {}


@pytest.mark.parametrize("name", ["v1beta1-pipelinerun", "v1beta1-taskrun"])
def test_old_versions_are_converted_without_loss(name):
    """What was written as v1beta1 is read as v1, and as v1beta1 again."""
    if not _CASES.is_dir():
        pytest.skip("the recordings of a real cluster are not here")
    _, expected = _read_case(name)
    current = convert(expected["object"], "v1")
    assert current["spec"] == expected["readAs_v1"]["spec"]
    shown = convert(expected["readAs_v1"], "v1beta1")
    assert shown["apiVersion"] == "tekton.dev/v1beta1"
    assert shown["spec"] == expected["readAs_v1beta1"]["spec"]


_TASK = {"steps": [{"name": "s", "image": "quay.test/tool:1"}]}


def _definitions() -> list[Path]:
    return sorted((_DATA / "crds" / "tekton-pipelines").glob("*.yaml"))


def _names() -> list[str]:
    names = {path.stem for path in _CASES.glob("*.json") if not path.stem.startswith("sw-")}
    return sorted(names)
