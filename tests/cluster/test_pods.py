# SPDX-License-Identifier: Apache-2.0
"""What a pod says of itself."""

from __future__ import annotations

import json

import pytest

from okd_payload.cluster.pods import ContainerState, PodStatus, Terminated, Waiting, decode_pod
from okd_payload.errors import ClusterError


def _status(**fields: object) -> PodStatus:
    return decode_pod(json.dumps({"metadata": {"name": "it"}, "status": fields}).encode()).status


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("ContainerCreating", (False, False)),
        ("ErrImagePull", (True, False)),
        ("ImagePullBackOff", (True, False)),
        ("InvalidImageName", (True, True)),
        ("CreateContainerConfigError", (False, True)),
    ],
)
def test_some_reasons_for_waiting_go_away(reason: str, expected: tuple[bool, bool]) -> None:
    """A registry comes back; a wrong name and a missing Secret do not."""
    waiting = Waiting(reason=reason)
    assert (waiting.lacks_image, waiting.is_final) == expected


def test_a_pod_that_says_nothing_waits_for_nothing() -> None:
    """No status, an empty one, and null lists are what young pods have."""
    for content in (b"{}", b'{"status":{}}', b'{"status":{"containerStatuses":null}}'):
        status = decode_pod(content).status
        assert (status.waiting, status.terminated) == (Waiting(), None)
        assert status.container("run") == ContainerState()
        assert not status.has_ended
        assert not status.unscheduled


def test_a_container_is_found_among_those_that_others_added() -> None:
    """A sidecar that has ended says nothing about the container that was asked for."""
    ended = {"terminated": {"exitCode": 3, "reason": "Error"}}
    status = _status(
        phase="Running",
        containerStatuses=[
            {"name": "sidecar", "state": ended},
            {"name": "run", "state": {"running": {"startedAt": "2026-01-02T03:04:05Z"}}},
        ],
    )
    assert status.container("run").has_begun
    assert status.container("run").terminated is None
    assert status.terminated == Terminated(exit_code=3, reason="Error")


def test_a_pod_without_a_node_says_why() -> None:
    """Only while no node takes it."""
    condition = {"type": "PodScheduled", "status": "False", "message": "0/3 nodes"}
    assert _status(conditions=[condition]).unscheduled == "0/3 nodes"
    assert not _status(conditions=[{**condition, "status": "True"}]).unscheduled


def test_what_is_no_pod_is_an_error_of_the_cluster() -> None:
    """Whoever reads it need not look at it first."""
    with pytest.raises(ClusterError, match="a Pod that is none"):
        decode_pod(b"[]")
