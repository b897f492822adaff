# SPDX-License-Identifier: Apache-2.0
"""TaskRuns as they are made: taken by the real schemas and webhooks, and safe to make twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.build.engine import BuildStep
from okd_payload.build.key import KEY_LABEL
from okd_payload.catalog.component import Argument, Resources
from okd_payload.cluster.kinds import TASK_RUN
from okd_payload.engines.manifests import encode_manifest
from okd_payload.engines.pod.attempt_names import attempt_of
from okd_payload.engines.pod.choosing import Follow, Make, choose
from okd_payload.engines.pod.security import SecurityProfile
from okd_payload.engines.pod.step_document import decode_step
from okd_payload.engines.pod.tool import ToolSettings
from okd_payload.engines.tekton.coordinator import Commission, make_coordinator
from okd_payload.engines.tekton.making import attempt_from, make_build
from okd_payload.engines.tekton.naming import task_run_name
from okd_payload.engines.tekton.settings import Errand, Owner, TektonSettings
from okd_payload.engines.tekton.task_run import TaskRun, decode_task_run
from okd_payload.oci.manifest import Platform
from okd_payload.testing.kubernetes import MemoryCluster, SimulatedCluster
from okd_payload.testing.tekton.admission.plugin import add_tekton

KEY = "0123456789abcdef" * 4
STEP = BuildStep(
    component="etcd",
    tag="etcd",
    source=None,
    commit=None,
    context_directory=".",
    dockerfile="FROM scratch\n",
    images={},
    labels=(Argument(KEY_LABEL, KEY),),
    platform=Platform(architecture="amd64"),
    timestamp=7,
    resources=Resources(memory_request="6Gi"),
)
SETTINGS = TektonSettings(
    tool=ToolSettings(
        image="registry.test/tool:1",
        credentials="pull-and-push",
        trust="company-roots",
        plain_http=("registry.test:5000",),
    ),
    service_account="builder",
)
ERRAND = Errand(stream="okd", run="20260101T000000-1", owner=Owner(name="boss", uid="1-2"))


def make(attempt: Make | None = None, **changes: Any) -> dict[str, Any]:
    """A TaskRun that builds the step, as JSON."""
    settings = msgspec.structs.replace(SETTINGS, **changes)
    written = make_build(
        STEP, attempt or Make(1), repository="registry.test/okd", errand=ERRAND, settings=settings
    )
    return msgspec.json.decode(encode_manifest(written))


@pytest.fixture
def cluster(shared_data: Path) -> MemoryCluster:
    """A cluster with Tekton's schemas and webhooks."""
    simulated = SimulatedCluster()
    add_tekton(simulated)
    simulated.install(shared_data / "crds" / "tekton-pipelines")
    return MemoryCluster("builds", cluster=simulated)


@pytest.mark.parametrize("profile", SecurityProfile)
async def test_the_cluster_takes_what_is_made(cluster: MemoryCluster, profile: SecurityProfile):
    """No field is unknown, none is dropped, and the spec means what was sent."""
    tool = msgspec.structs.replace(SETTINGS.tool, profile=profile)
    sent = make(tool=tool)
    stored = json.loads(await cluster.create(TASK_RUN, json.dumps(sent).encode()))
    step, given = stored["spec"]["taskSpec"]["steps"][0], sent["spec"]["taskSpec"]["steps"][0]
    assert {name: step[name] for name in given} == given
    assert stored["spec"]["podTemplate"] == sent["spec"]["podTemplate"]
    assert stored["metadata"]["labels"] == sent["metadata"]["labels"]


@pytest.mark.parametrize("runs_commands", [True, False])
async def test_the_cluster_takes_a_coordinator(cluster: MemoryCluster, *, runs_commands: bool):
    """A coordinator is a TaskRun like others, with a token and the name of its run."""
    commission = Commission(
        stream="okd",
        run="20260101T000000-1",
        words=("build", "--snapshot", "registry.test/okd@sha256:0"),
        account="coordinator",
        runs_commands=runs_commands,
    )
    written = make_coordinator(commission, SETTINGS.tool)
    stored = json.loads(await cluster.create(TASK_RUN, encode_manifest(written)))
    assert stored["metadata"]["name"] == "okd-payload-20260101t000000-1"
    assert "automountServiceAccountToken" not in stored["spec"]["podTemplate"]
    assert stored["spec"]["taskSpec"]["steps"][0]["args"] == list(commission.words)


def test_a_task_run_says_everything():
    """Labels, owner, time-out, requests and limits are set, and the step is whole."""
    made = make(Make(3, enlarged=1))
    metadata, spec = made["metadata"], made["spec"]
    step = spec["taskSpec"]["steps"][0]
    assert metadata["name"] == "etcd-0123456789ab-3"
    assert metadata["labels"]["okd-payload.io/component"] == "etcd"
    assert metadata["annotations"]["okd-payload.io/build-key"] == KEY
    (owner,) = metadata["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"]) == ("TaskRun", "boss", "1-2")
    assert spec["timeout"] == "14400s"
    assert spec["serviceAccountName"] == "builder"
    assert step["computeResources"]["limits"]["memory"] == "12288Mi"
    assert step["computeResources"]["requests"]["memory"] == "12288Mi"
    assert decode_step(spec["params"][0]["value"]) == STEP
    assert spec["podTemplate"]["automountServiceAccountToken"] is False
    assert spec["podTemplate"]["nodeSelector"] == {"kubernetes.io/arch": "amd64"}


def test_secrets_are_only_named():
    """A TaskRun names the Secret that is mounted, and has no variable with one."""
    step = make()["spec"]["taskSpec"]["steps"][0]
    volumes = {it["name"]: it for it in make()["spec"]["taskSpec"]["volumes"]}
    assert volumes["credentials"]["secret"]["secretName"] == "pull-and-push"
    assert all("value" in variable and "valueFrom" not in variable for variable in step["env"])


def test_a_snapshot_is_passed_on():
    """Where sources travel in a snapshot, pods are told which."""
    arguments = make(snapshot="registry.test/okd@sha256:1")["spec"]["taskSpec"]["steps"][0]["args"]
    place = arguments.index("--snapshot")
    assert arguments[place + 1] == "registry.test/okd@sha256:1"


@given(st.text(min_size=1, max_size=100), st.integers(1, 99))
def test_names_are_valid_and_tell_the_attempt(component: str, attempt: int):
    """A name is a DNS label with room for the pod's, whatever a component is called."""
    name = task_run_name(component, KEY, attempt)
    assert len(f"{name}-pod") <= 63
    assert name.replace("-", "a").isalnum()
    assert name == name.lower()
    assert name[0].isalnum()
    assert attempt_of(name) == attempt


def run(attempt: int, reason: str = "", status: str = "Unknown", *, cancelled: str = "") -> TaskRun:
    """A TaskRun of an attempt, in some state."""
    condition = {"type": "Succeeded", "status": status, "reason": reason}
    document = {
        "metadata": {"name": task_run_name("etcd", KEY, attempt)},
        "spec": {"status": cancelled},
        "status": {"conditions": [condition] if reason else []},
    }
    return decode_task_run(json.dumps(document).encode())


FIRST = task_run_name("etcd", KEY, 1)
SECOND = task_run_name("etcd", KEY, 2)


@pytest.mark.parametrize(
    ("present", "chosen"),
    [
        ([], Make(1)),
        ([run(1)], Follow(FIRST)),
        ([run(1, "Running")], Follow(FIRST)),
        ([run(1, "Succeeded", "True")], Follow(FIRST)),
        ([run(1, "StepFailed", "False")], Make(2)),
        ([run(1, "StepOOM", "False")], Make(2, enlarged=1)),
        ([run(1, "PodEvicted", "False"), run(2, "Running")], Follow(SECOND)),
        ([run(1, "Running", cancelled="TaskRunCancelled")], Make(2)),
        ([run(10, "StepFailed", "False"), run(9, "StepFailed", "False")], Make(11)),
    ],
)
def test_what_is_there_is_followed_and_what_failed_is_replaced(
    present: list[TaskRun], chosen: Follow | Make
):
    """Running work is adopted, finished work taken, and failed work done again."""
    assert choose(map(attempt_from, present), spent=set(), afresh=False) == chosen


def test_what_was_judged_is_not_taken_again():
    """A finished TaskRun whose image is gone, or that is not wanted, leads to the next."""
    present = [run(1, "Succeeded", "True")]
    assert choose(map(attempt_from, present), spent={FIRST}, afresh=False) == Make(2)
    assert choose(map(attempt_from, present), spent=set(), afresh=True) == Make(2)
    assert choose([attempt_from(run(1, "Running"))], spent=set(), afresh=True) == Follow(FIRST)
