# SPDX-License-Identifier: Apache-2.0
"""The programs of OKD that ask the old interface go on: the promotion pipeline and the watcher.

They are played step by step, over HTTP as they do it, on releases that this controller made.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from litestar.testing import AsyncTestClient
from rig import Rig
from sqlalchemy import Connection

from okd_payload.controller.configuration.model import (
    Runner,
    StreamKind,
    Verification,
)
from okd_payload.controller.model import Phase, Release, RunState, VerificationRun
from okd_payload.controller.records import releases, runs
from okd_payload.oci.digest import digest_of

SOURCE, STABLE = "4.21.0-0.okd-scos", "4-scos-stable"
HOUR = 3600.0
Client = AsyncTestClient[Any]


def made(name: str, stream: str, phase: Phase, *, created: float) -> Release:
    """A release with a payload."""
    digest = digest_of(name.encode())
    return Release(
        name=name,
        stream=stream,
        phase=phase,
        created=created,
        changed=created,
        input_hash="",
        digest=digest,
        pull_spec=f"quay.test/okd/release@{digest}",
    )


def run(release: str, job: str, attempt: int, state: RunState) -> VerificationRun:
    """A run that ended."""
    return VerificationRun(
        id=f"{release}-{job}-{attempt}",
        release=release,
        verification=job,
        attempt=attempt,
        state=state,
        runner="prowjob",
        queued=1.0,
        started=1.0,
        ended=1_700_000_000.0,
        url=f"https://prow.test/{release}/{job}/{attempt}",
    )


@pytest.fixture
async def okd(rig: Rig) -> Rig:
    """A stream of nightlies and the stable one, as OKD has them."""
    jobs = (
        Verification(name="aws", runner=Runner(kind="prowjob"), max_retries=1),
        Verification(name="gcp", runner=Runner(kind="prowjob"), optional=True),
        Verification(name="slow", runner=Runner(kind="prowjob"), optional=True, asynchronous=True),
    )
    rig.configure(SOURCE, verifications=jobs)
    rig.configure(STABLE, kind=StreamKind.STABLE)

    def unit(connection: Connection) -> None:
        phases = (Phase.ACCEPTED, Phase.ACCEPTED, Phase.REJECTED, Phase.REJECTED)
        for hour, phase in enumerate(phases):
            name = f"{SOURCE}-2026-03-20-{hour:02}0000"
            release = made(name, SOURCE, phase, created=hour * HOUR)
            releases.create(connection, release, ())
            failed = phase is Phase.REJECTED
            outcome = RunState.FAILED if failed else RunState.SUCCEEDED
            for attempt in range(2 if failed else 1):
                runs.write(connection, run(name, "aws", attempt, outcome), time=1.0)
            runs.write(connection, run(name, "gcp", 0, RunState.FAILED), time=1.0)
            runs.write(connection, run(name, "slow", 0, RunState.SUCCEEDED), time=1.0)
        for number in (0, 2, 10):
            release = made(f"4.21.0-okd-scos.{number}", STABLE, Phase.ACCEPTED, created=number)
            releases.create(connection, release, ())

    await rig.database.write(unit)
    return rig


async def test_the_promotion_pipeline_picks_and_names(client: Client, okd: Rig) -> None:
    """``pick-release`` and ``pick-target-release-name``: the newest accepted, the next name."""
    picked = (await client.get(f"/api/v1/releasestream/{SOURCE}/latest")).json()
    assert picked["name"] == f"{SOURCE}-2026-03-20-010000"
    assert picked["phase"] == "Accepted"
    digest = picked["pullSpec"].rpartition("@")[2]
    assert digest == digest_of(picked["name"].encode())
    text = (await client.get(f"/api/v1/releasestream/{STABLE}/latest?format=name")).text
    version = re.match(r"[0-9.]+", picked["name"])
    last = re.fullmatch(r"([0-9.]+)-okd-scos\.([0-9]+)\n", text)
    assert version
    assert last
    assert last[1] == version[0]
    assert f"{last[1]}-okd-scos.{int(last[2]) + 1}" == "4.21.0-okd-scos.11"


async def test_the_promotion_pipeline_finds_previous_releases(client: Client, okd: Rig) -> None:
    """``mirror-release``: the accepted releases of the target stream become ``--previous``."""
    accepted = (await client.get("/api/v1/releasestreams/accepted")).json()
    assert accepted[STABLE] == ["4.21.0-okd-scos.10", "4.21.0-okd-scos.2", "4.21.0-okd-scos.0"]
    tags = (await client.get(f"/api/v1/releasestream/{STABLE}/tags?phase=Accepted")).json()["tags"]
    assert [tag["name"] for tag in tags] == accepted[STABLE]
    ranged = await client.get(
        f"/api/v1/releasestream/{STABLE}/latest", params={"in": "<4.21.0-okd-scos.10"}
    )
    assert ranged.json()["name"] == "4.21.0-okd-scos.2"


async def test_the_watcher_sees_streaks_and_failed_jobs(client: Client, okd: Rig) -> None:
    """``report``: phases, the streak of rejections, and which jobs failed, with retries.

    Also when the payloads cannot be read: then what changed is not told.
    """
    tags = (await client.get(f"/api/v1/releasestream/{SOURCE}/tags")).json()["tags"]
    phases = [tag["phase"] for tag in tags]
    assert phases == ["Rejected", "Rejected", "Accepted", "Accepted"]
    streak = phases.index("Accepted")
    assert streak == 2
    newest = tags[0]["name"]
    found = (await client.get(f"/api/v1/releasestream/{SOURCE}/release/{newest}")).json()
    assert set(found["results"]) == {"blockingJobs", "informingJobs", "asyncJobs"}
    failed = {
        kind: [name for name, job in jobs.items() if job["state"] == "Failed"]
        for kind, jobs in found["results"].items()
    }
    assert failed == {"blockingJobs": ["aws"], "informingJobs": ["gcp"], "asyncJobs": []}
    job = found["results"]["blockingJobs"]["aws"]
    assert job == {
        "state": "Failed",
        "url": f"https://prow.test/{newest}/aws/1",
        "retries": 1,
        "previousAttemptURLs": [f"https://prow.test/{newest}/aws/0"],
        "transitionTime": "2023-11-14T22:13:20Z",
    }


async def test_a_withdrawn_release_is_in_no_list(client: Client, okd: Rig) -> None:
    """Whoever asks for the latest gets the one before it; by its name it is there."""
    name = f"{SOURCE}-2026-03-20-010000"
    gone = made(name, SOURCE, Phase.ACCEPTED, created=HOUR)
    withdrawn = msgspec.structs.replace(gone, withdrawn=5.0)
    await okd.database.write(lambda unit: releases.change(unit, withdrawn, time=5.0))
    latest = (await client.get(f"/api/v1/releasestream/{SOURCE}/latest")).json()
    assert latest["name"] == f"{SOURCE}-2026-03-20-000000"
    assert name not in (await client.get("/api/v1/releasestreams/all")).json()[SOURCE]
    shown = await client.get(f"/api/v1/releasestream/{SOURCE}/release/{name}?format=short")
    assert shown.status_code == 200


async def test_a_stream_of_ours_has_a_configuration_in_the_old_fields(
    client: Client, okd: Rig
) -> None:
    """What has a field there; jobs by their types."""
    address = f"/api/v1/releasestream/{SOURCE}/config"
    whole = (await client.get(address)).json()
    assert (whole["name"], whole["as"], whole["expires"]) == (SOURCE, "", 0)
    assert set(whole["verify"]) == {"aws", "gcp", "slow"}
    blocking = (await client.get(address, params={"jobType": "blocking"})).json()
    assert blocking == {
        "aws": {
            "disabled": False,
            "optional": False,
            "upgrade": False,
            "upgradeFrom": "",
            "upgradeFromRelease": None,
            "prowJob": None,
            "multiJobAnalysis": False,
            "maxRetries": 1,
        }
    }
    informing = (await client.get(address, params={"jobType": "informing"})).json()
    assert set(informing) == {"gcp", "slow"}
    assert (await client.get(address, params={"jobType": "periodic"})).json() == {}
    assert (await client.get(f"/api/v1/releasestream/{STABLE}/config")).json()["as"] == "Stable"


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("/dashboards/overview", "/"),
        ("/dashboards/compare?from=a&to=b%20c", "/compare?from=a&to=b+c"),
        ("/releasetag/4.21.0-okd-scos.2?from=a%26b", "/compare?from=a%26b&to=4.21.0-okd-scos.2"),
        (
            f"/releasestream/{STABLE}/release/4.21.0-okd-scos.2?from=4.21.0-okd-scos.0",
            "/compare?from=4.21.0-okd-scos.0&to=4.21.0-okd-scos.2",
        ),
        (f"/releasestream/{STABLE}/inconsistency/4.21.0-okd-scos.0", f"/releasestream/{STABLE}"),
    ],
)
async def test_addresses_that_became_others_lead_there(
    client: Client, okd: Rig, address: str, place: str
) -> None:
    """Bookmarks go on."""
    answer = await client.get(address, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (302, place)
    assert (await client.get("/releasetag/4.21.0-okd-scos.2?from=none")).status_code == 404
    for unknown in ("none/inconsistency/4.21.0-okd-scos.0", f"{STABLE}/inconsistency/x"):
        answer = await client.get(f"/releasestream/{unknown}", follow_redirects=False)
        assert answer.status_code == 404


async def test_hostile_names_are_text(client: Client, okd: Rig) -> None:
    """Whatever is asked for, nothing of it becomes markup, a header, or a failure of ours."""
    hostile = "%3Cscript%3E%0d%0aX-Evil:%201"
    for address in (
        f"/api/v1/releasestream/{hostile}/latest",
        f"/api/v1/releasestream/{SOURCE}/release/{hostile}",
        f"/api/v1/releasestream/{hostile}/config",
        f"/releasestream/{hostile}/candidates",
        f"/releasestream/{SOURCE}/release/{hostile}/download",
        f"/releasetag/{hostile}/json",
        f"/changelog?from={hostile}&to={hostile}",
        f"/graph?channel={hostile}",
        f"/api/v1/releasetag/{hostile}/qualifiers",
    ):
        answer = await client.get(address, follow_redirects=False)
        assert answer.status_code in {400, 404}, address
        assert "x-evil" not in answer.headers
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.headers["x-content-type-options"] == "nosniff"
