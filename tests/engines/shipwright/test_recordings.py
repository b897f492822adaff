# SPDX-License-Identifier: Apache-2.0
"""What the ends of real BuildRuns mean, in the causes of all engines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from okd_payload.cluster import kinds
from okd_payload.cluster.pods import Pod, decode_pod
from okd_payload.engines.pod.causes import Cause
from okd_payload.engines.pod.judging import Verdict
from okd_payload.engines.pod.outcome import Failure, FailureKind
from okd_payload.engines.shipwright.judging import judge_run
from okd_payload.engines.shipwright.results import describe_failure, read_failure
from okd_payload.engines.shipwright.run_state import BuildRun, decode_build_run
from okd_payload.errors import ClusterError
from okd_payload.testing.tekton.recordings import read_scenario

_ENDS = {
    "sw-both-name-and-spec": Cause.INVALID,
    "sw-build-and-run-at-once": Cause.SUCCEEDED,
    "sw-build-missing": Cause.INVALID,
    "sw-cancel": Cause.CANCELLED,
    "sw-embedded-build": Cause.SUCCEEDED,
    "sw-failure": Cause.BUILD,
    "sw-failure-with-reason": Cause.BUILD,
    "sw-generate-service-account": Cause.SUCCEEDED,
    "sw-git-source-fails": Cause.BUILD,
    "sw-image-pull-failure": Cause.IMAGE_ABSENT,
    "sw-output-secret-missing": Cause.INVALID,
    "sw-param-reserved": Cause.INVALID,
    "sw-param-undefined": Cause.INVALID,
    "sw-param-undefined-in-run": Cause.INVALID,
    "sw-param-values": Cause.SUCCEEDED,
    "sw-param-wrong-type": Cause.INVALID,
    "sw-serviceaccount-missing": Cause.REFUSED,
    "sw-strategy-kind-bad": Cause.INVALID,
    "sw-strategy-missing": Cause.INVALID,
    "sw-success": Cause.SUCCEEDED,
    "sw-timeout": Cause.TIMED_OUT,
    "sw-two-runs": Cause.BUILD,
}


def _follow(folder: Path) -> tuple[BuildRun, Verdict, list[Verdict]]:
    """The last run of a recording, its verdict, and what was thought of it before."""
    run: BuildRun | None = None
    pod: Pod | None = None
    waited, verdicts = None, []
    for change in read_scenario(folder).changes:
        content = json.dumps(change.document).encode()
        if change.kind == kinds.POD:
            pod = decode_pod(content)
        elif change.kind == kinds.SHIPWRIGHT_BUILD_RUN:
            if run is not None and run.name != change.name:
                verdicts, waited = [], None
            run = decode_build_run(content)
            verdicts.append(judge_run(run, pod, waited=waited))
            if not run.is_over:
                waited = run.condition
    assert run is not None
    return run, verdicts[-1], verdicts[:-1]


@pytest.mark.parametrize(("name", "cause"), _ENDS.items())
def test_the_cause_of_a_real_end(shared_data: Path, name: str, cause: Cause) -> None:
    """Every recorded run is open until its last change, and ends for the right cause."""
    run, verdict, before = _follow(shared_data / "tekton-recordings" / name)
    assert verdict.cause is cause
    assert run.is_over
    assert not any(each.is_final for each in before)
    if cause is Cause.SUCCEEDED:
        assert run.status.output.digest.startswith("sha256:")


@pytest.mark.parametrize("kind", FailureKind)
def test_failures_are_read_as_they_were_told(kind: FailureKind) -> None:
    """What the pod says in Shipwright's results is what comes out at the other end."""
    told = describe_failure(Failure(kind=kind, message="it failed", hint="mend it"))
    found = read_failure(told["reason"], told["message"])
    assert found is not None
    assert (found.kind, found.message) == (kind, "it failed\nmend it")
    assert told["reason"].isalnum()


def test_words_of_others_are_not_ours() -> None:
    """A reason that another program wrote, as Shipwright's git does, is no failure of our step."""
    assert read_failure("GitError", "no such host") is None


def test_what_is_no_run() -> None:
    """An object that cannot be read is an error of the cluster."""
    with pytest.raises(ClusterError, match="is none"):
        decode_build_run(b"{}")
    with pytest.raises(ClusterError, match="a Pod that is none"):
        decode_pod(b"[]")
