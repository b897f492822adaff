# SPDX-License-Identifier: Apache-2.0
"""Jobs are shown by the run that counts, in the groups of the stream's configuration."""

from __future__ import annotations

from typing import Any

import msgspec

from okd_payload.controller.configuration.model import Runner, StreamConfiguration, Verification
from okd_payload.controller.model import RunState, VerificationRun
from okd_payload.web.compatibility.results import show_results

STARTED = 1_700_000_000.0
ENDED = {"a": "2023-11-14T22:13:20Z", "b": "2023-11-14T22:14:20Z", "c": "2023-11-14T22:15:20Z"}


def run(name: str, attempt: int, state: RunState, *, job: str = "aws", **more: Any) -> Any:
    """The run ``name``, which ended a minute after the one before it."""
    values = {"url": f"https://prow.test/{name}", "ended": STARTED + 60 * attempt} | more
    return VerificationRun(
        id=name,
        release="x",
        verification=job,
        attempt=attempt,
        state=state,
        runner="prowjob",
        queued=1.0,
        **values,
    )


def shown(*runs: VerificationRun, **fields: Any) -> dict[str, Any]:
    """What is told of the jobs of a stream that has ``aws``, configured by ``fields``."""
    stream = StreamConfiguration(
        name="x",
        verifications=(Verification(name="aws", runner=Runner(kind="prowjob"), **fields),),
    )
    return msgspec.json.decode(msgspec.json.encode(show_results(stream, runs)), type=dict)


def job(*runs: VerificationRun, **fields: Any) -> dict[str, Any]:
    """The same of the one job."""
    return shown(*runs, **fields)["blockingJobs"]["aws"]  # type: ignore[no-any-return]


def test_a_success_counts_wherever_it_stands() -> None:
    """Its address and its end are the job's; all other attempts are former ones."""
    failed, passed = RunState.FAILED, RunState.SUCCEEDED
    assert job(run("a", 0, failed), run("b", 1, passed), run("c", 2, failed)) == {
        "state": "Succeeded",
        "url": "https://prow.test/b",
        "retries": 2,
        "previousAttemptURLs": ["https://prow.test/a", "https://prow.test/c"],
        "transitionTime": ENDED["b"],
    }
    assert job(run("a", 0, passed)) == {
        "state": "Succeeded",
        "url": "https://prow.test/a",
        "transitionTime": ENDED["a"],
    }


def test_else_the_newest_attempt_is_the_job() -> None:
    """One that runs has no end yet; one without an address is no former attempt to look at."""
    broken = run("a", 0, RunState.ERROR, url="")
    running = run("b", 1, RunState.RUNNING, ended=None)
    assert job(broken, running) == {
        "state": "Pending",
        "url": "https://prow.test/b",
        "retries": 1,
    }
    aborted = run("b", 1, RunState.ABORTED)
    assert job(broken, aborted)["state"] == "Failed"
    assert job(run("a", 0, RunState.QUEUED, url="", ended=None)) == {"state": "Pending", "url": ""}


def test_jobs_stand_where_the_configuration_puts_them_now() -> None:
    """What is asynchronous is not informing; a job that the stream has no more is not told."""
    passed = run("a", 0, RunState.SUCCEEDED)
    assert set(shown(passed)) == {"blockingJobs"}
    assert set(shown(passed, disabled=True)) == {"blockingJobs"}
    assert set(shown(passed, optional=True)) == {"informingJobs"}
    assert set(shown(passed, optional=True, asynchronous=True)) == {"asyncJobs"}
    assert shown(run("b", 0, RunState.SUCCEEDED, job="gone")) == {}
    assert shown() == {}
