# SPDX-License-Identifier: Apache-2.0
"""What the API server says to Shipwright's objects, against the real one's verdicts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from okd_payload.cluster import kinds
from okd_payload.testing.kubernetes import Refusal, SimulatedCluster
from okd_payload.testing.shipwright import add_shipwright

_VERDICTS = {
    "sw-build-bad-git-url": 201,
    "sw-build-bad-image": 201,
    "sw-build-bad-source-type": 201,
    "sw-build-minimal": 201,
    "sw-build-name-64": 201,
    "sw-build-no-image": 422,
    "sw-build-no-output": 422,
    "sw-build-no-strategy": 422,
    "sw-build-retention-limit-zero": 422,
    "sw-build-timeout-garbage": 422,
    "sw-build-unknown-field": 201,
    "sw-buildrun-bad-state": 201,
    "sw-buildrun-no-build": 422,
    "sw-name-64": 201,
    "sw-strategy-no-steps": 422,
}
_KINDS = {
    kind.kind: kind
    for kind in (kinds.BUILD_STRATEGY, kinds.SHIPWRIGHT_BUILD, kinds.SHIPWRIGHT_BUILD_RUN)
}


@pytest.mark.parametrize(("case", "verdict"), _VERDICTS.items())
def test_the_verdict_is_the_recorded_one(shared_data: Path, case: str, verdict: int) -> None:
    """The same objects are taken and refused, in the same words."""
    folder = shared_data / "tekton-admission" / "cases"
    recorded = json.loads((folder / f"{case}.json").read_text())
    document = yaml.safe_load((folder / f"{case}.yaml").read_text())
    cluster = SimulatedCluster()
    cluster.install(shared_data / "crds" / "shipwright")
    add_shipwright(cluster)
    cluster.add_namespace("builds")
    said, code = "", 201
    try:
        cluster.create(_KINDS[document["kind"]], document, namespace="builds")
    except Refusal as refusal:
        said, code = refusal.message, refusal.code
    assert (code, said) == (recorded["http"], recorded.get("message", ""))
    assert code == verdict
