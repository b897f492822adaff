# SPDX-License-Identifier: Apache-2.0
"""Whatever an engine makes pods from is limited, has no more than it needs, and holds no secret."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from okd_payload.engines.manifests import Metadata
from okd_payload.engines.pod.security import BUILD_CAPABILITIES, SecurityProfile
from okd_payload.engines.pod.tool import ToolSettings, build_pod, plain_pod
from okd_payload.engines.shipwright.strategy import (
    make_component_strategy,
    make_source_strategy,
    make_step_strategy,
)
from okd_payload.engines.tekton.objects import make_task_run
from okd_payload.engines.tekton.rendering import render_tasks

CAPABILITIES = ToolSettings(
    profile=SecurityProfile.CAPABILITIES, credentials="registry-credentials", trust="roots"
)
USERS = msgspec.structs.replace(CAPABILITIES, profile=SecurityProfile.USER_NAMESPACE)
PRIVILEGED = msgspec.structs.replace(CAPABILITIES, profile=SecurityProfile.PRIVILEGED)


def task_run(pod, **options: Any) -> Any:
    """A TaskRun as the engine for Tekton makes it."""
    return make_task_run(Metadata(name="run"), pod, step="build", timeout=60, **options)


TEMPLATES = {
    "tekton build": task_run(build_pod(("step", "build"), USERS)),
    "tekton build with capabilities": task_run(build_pod(("step", "build"), CAPABILITIES)),
    "tekton coordinator": task_run(plain_pod(("build",), USERS), uses_cluster=True),
    **{f"task {each.metadata.name}": each for each in render_tasks((), USERS)},
    "shipwright step": make_step_strategy(CAPABILITIES),
    "shipwright source": make_source_strategy(CAPABILITIES),
    "shipwright component": make_component_strategy(CAPABILITIES),
}
BUILT = {name: msgspec.to_builtins(each) for name, each in TEMPLATES.items()}


def find(value: Any, *names: str) -> Iterator[Any]:
    """Everything below one of ``names``, wherever it stands."""
    if isinstance(value, dict):
        for name, below in value.items():
            if name in names:
                yield below
            yield from find(below, *names)
    elif isinstance(value, (list, tuple)):
        for below in value:
            yield from find(below, *names)


def containers(name: str) -> list[dict[str, Any]]:
    """The containers of a template."""
    return [each for listed in find(BUILT[name], "steps", "containers") for each in listed]


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_container_has_requests_and_limits(name):
    """A pod without them is the first to be evicted, and may starve its neighbours."""
    assert containers(name)
    for container in containers(name):
        resources = container.get("computeResources") or container["resources"]
        for kind in ("requests", "limits"):
            assert {"cpu", "memory"} <= set(resources[kind])


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_container_has_the_listed_capabilities_at_most(name):
    """Each of them has its reason, and all others are dropped."""
    listed = {capability.name for capability in BUILD_CAPABILITIES}
    for container in containers(name):
        security = container["securityContext"]
        assert "privileged" not in security
        assert list(security["capabilities"]["drop"]) == ["ALL"]
        assert set(security["capabilities"].get("add", ())) <= listed
        if "add" not in security["capabilities"]:
            assert security["allowPrivilegeEscalation"] is False


@pytest.mark.parametrize("name", TEMPLATES)
def test_no_template_holds_a_secret(name):
    """Secrets are named, and mounted so that nothing can write to them."""
    document = BUILT[name]
    for variables in find(document, "env"):
        for variable in variables:
            assert set(variable) == {"name", "value"}
            assert not any(word in variable["name"] for word in ("PASSWORD", "TOKEN", "SECRET"))
    for mounts in find(document, "volumeMounts"):
        for mount in mounts:
            assert mount["name"] not in ("credentials", "trust") or mount["readOnly"] is True
    for secret in find(document, "secret"):
        assert set(secret) <= {"secretName", "items"}
    for field in ("hostPath", "hostNetwork", "hostPID", "hostIPC", "hostPort"):
        assert not list(find(document, field))


def test_only_what_speaks_with_the_cluster_has_a_token():
    """Builds of others' code have none."""
    for name in ("tekton build", "tekton build with capabilities"):
        assert list(find(BUILT[name], "automountServiceAccountToken")) == [False]
    assert not list(find(BUILT["tekton coordinator"], "automountServiceAccountToken"))


def test_a_privileged_pod_is_one_that_was_asked_for():
    """Then it says so, in one field that everybody looks for."""
    document = msgspec.to_builtins(task_run(build_pod(("step", "build"), PRIVILEGED)))
    assert list(find(document, "privileged")) == [True]
