# SPDX-License-Identifier: Apache-2.0
"""The pods that start by themselves: who gets which credentials."""

from __future__ import annotations

import pytest

from okd_payload.engines.pod.tool import ToolPod, ToolSettings
from okd_payload.engines.tekton.triggers.pods import (
    Coordination,
    coordinator_pod,
    follower_pod,
    proposal_pod,
)
from okd_payload.engines.tekton.triggers.settings import StreamSource

SOURCE = StreamSource(url="https://git.example.com/me/okd")
SETTINGS = ToolSettings(
    image="registry.test/tool:1", credentials="registries", git_credentials="forge"
)


def _pod_of(kind: str) -> ToolPod:
    if kind == "coordinator":
        work = Coordination(namespace="builds", repository="registry.test/okd")
        return coordinator_pod(work, SOURCE, SETTINGS)
    if kind == "follower":
        return follower_pod(SOURCE, SETTINGS, options=())
    return proposal_pod(SOURCE, SETTINGS, base_release="registry.test/okd:1", depth=0)


@pytest.mark.parametrize(
    ("kind", "secrets"),
    [("coordinator", {"registries", "forge"}), ("follower", {"forge"}), ("proposal", set())],
)
def test_pods_get_the_credentials_that_they_need(kind: str, secrets: set[str]) -> None:
    """What strangers propose runs with none, and what deploys fetches and pushes nothing."""
    pod = _pod_of(kind)
    assert {it.secret.secret_name for it in pod.volumes if it.secret is not None} == secrets
    told = any(it.name == "GIT_CONFIG_KEY_0" for it in pod.container.environment)
    assert told == ("forge" in secrets)


def test_builds_of_the_coordinator_get_them_too() -> None:
    """They are told by name, in the words of the command that starts them."""
    (lines,) = _pod_of("coordinator").container.arguments
    assert "--credentials registries --git-credentials forge" in lines
