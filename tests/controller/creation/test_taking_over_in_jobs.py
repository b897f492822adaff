# SPDX-License-Identifier: Apache-2.0
"""Payloads that somebody pushed, taken over by Jobs: the same as in the server."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
import pytest
from jobs_rig import NAMESPACE, Bench, NoVerifier
from pushed_payloads import STABLE, configure_stable, push_payload
from rig import CONTENT, RELEASES, Rig

from okd_payload.cluster import kinds
from okd_payload.controller.adoption.adopting import take_over
from okd_payload.controller.configuration.model import Input
from okd_payload.controller.creation.jobs.maker import MOST_AT_ONCE
from okd_payload.controller.creation.keeping import kept_tag
from okd_payload.controller.model import Phase, Release
from okd_payload.controller.records import payloads, releases, streams
from okd_payload.controller.service import Service
from okd_payload.release.load import load_release
from okd_payload.testing.jobs import PodWait
from okd_payload.testing.kubernetes import JsonObject, MemoryCluster
from okd_payload.testing.kubernetes.documents import name_of

ELSEWHERE = "quay.test/others/release"


@pytest.fixture
async def bench(rig: Rig) -> AsyncIterator[Bench]:
    """A stable stream with inJob."""
    configure_stable(rig, in_job=True)
    made = Bench(rig, STABLE)
    async with made.simulated:
        await made.service.leadership.renew()
        yield made


async def all_of(rig: Rig) -> list[Release]:
    """The releases, the newest first."""
    return await rig.database.read(lambda unit: releases.list_of(unit, STABLE))


@pytest.mark.parametrize("name", ["4.19.0", "4.19.0-0.nightly"])
async def test_a_job_takes_over_what_the_server_would_take_over(bench: Bench, name: str) -> None:
    """Under its own name or made again under its tag's: payload, images and facts are the same."""
    rig = bench.rig
    await push_payload(rig, name, tag="4.19.0")
    begun = await bench.go_on()
    assert begun.message == f"the Job {begun.job} makes its payload"
    ready = await bench.go_on()
    assert (ready.phase, ready.job, ready.attempts) == (Phase.READY, "", 1)
    alone = await take_over(rig.surroundings, rig.streams[STABLE], begun)
    assert (ready.digest, ready.pull_spec) == (alone.digest, alone.pull_spec)
    inputs = await rig.database.read(lambda unit: releases.read_inputs(unit, ready.name))
    assert tuple(inputs) == alone.images
    assert all(image.commit for image in inputs)
    assert (await rig.database.read(payloads.list_all))[ready.name] == alone.facts
    held = await rig.repository(CONTENT).manifests.tags()
    assert held == sorted(kept_tag(each.digest) for each in inputs)
    assert len(bench.jobs.made) == 1


async def test_what_was_seen_elsewhere_is_made_again_where_releases_are(bench: Bench) -> None:
    """A payload of an image stream, whose tag in the repository of releases is not there yet."""
    rig = bench.rig
    digest = await push_payload(rig, "4.19.0-0.nightly", target=ELSEWHERE)
    seen = {"image": digest, "dockerImageReference": f"{ELSEWHERE}@{digest}"}
    stream = {
        "apiVersion": kinds.IMAGE_STREAM.api_version,
        "kind": kinds.IMAGE_STREAM.kind,
        "metadata": {"name": "pushed"},
        "status": {"tags": [{"tag": "4.19.0", "items": [seen]}]},
    }
    bench.simulated.serve(kinds.IMAGE_STREAM)
    cluster = MemoryCluster(NAMESPACE, cluster=bench.simulated)
    cluster.add(kinds.IMAGE_STREAM, "pushed", msgspec.json.encode(stream))
    configure_stable(rig, in_job=True, input=Input(image_stream=f"{NAMESPACE}/pushed"))
    for _ in range(2):
        ready = await bench.go_on()
    assert (ready.phase, ready.pull_spec) == (Phase.READY, f"{RELEASES}@{ready.digest}")
    assert (await load_release(rig.repository(RELEASES), "4.19.0")).digest == ready.digest


async def test_what_is_no_payload_fails_at_once(bench: Bench) -> None:
    """With the pod's own words."""
    configure_stable(bench.rig, in_job=True, rewrite=False)
    await push_payload(bench.rig, "4.19.0-0.nightly", tag="4.19.0")
    for _ in range(2):
        failed = await bench.go_on()
    assert (failed.phase, failed.reason) == (Phase.FAILED, "InvalidPayload")
    assert failed.message == "the payload calls itself 4.19.0-0.nightly, not 4.19.0"


async def test_a_job_that_is_gone_before_its_payload_has_its_name_is_told_of(bench: Bench) -> None:
    """And is made again later, as another attempt."""
    await push_payload(bench.rig, "4.19.0-0.nightly", tag="4.19.0")

    async def hang(_: JsonObject) -> PodWait:
        return PodWait(reason="ContainerCreating")

    bench.run_pod = hang
    begun = await bench.go_on()
    bench.simulated.delete(kinds.JOB, name_of(bench.job()), namespace=NAMESPACE)
    again = await bench.go_on()
    assert (again.phase, again.attempts) == (Phase.PENDING, 1)
    assert again.message == f"the Job {begun.job} is gone, and {RELEASES} has no 4.19.0"
    bench.run_pod = bench.make
    bench.rig.clock.advance(1000)
    for _ in range(2):
        ready = await bench.go_on()
    assert ready.phase is Phase.READY


async def test_a_stream_with_many_releases_gets_them_a_few_at_a_time(bench: Bench) -> None:
    """Those that wait say so, and no attempt of them is used up."""
    payload = await push_payload(bench.rig, "4.19.0")
    tags = bench.rig.repository(RELEASES).manifests
    manifest = await tags.get(payload)
    for number in range(1, MOST_AT_ONCE + 3):
        await tags.put(manifest, tag=f"4.19.{number}")
    await bench.go_on()
    found = await all_of(bench.rig)
    waiting = [each for each in found if not each.job]
    assert (len(found), len(waiting)) == (MOST_AT_ONCE + 3, 3)
    assert {each.message for each in waiting} == {
        f"waits for one of {MOST_AT_ONCE} Jobs of its stream to end"
    }
    for _ in range(3):
        await bench.go_on()
    found = await all_of(bench.rig)
    assert {
        (each.phase.is_final or each.phase is Phase.READY, each.attempts) for each in found
    } == {(True, 1)}
    assert len(set(bench.jobs.made)) == MOST_AT_ONCE + 3


async def test_without_a_cluster_nothing_is_taken_over_and_it_says_why(rig: Rig) -> None:
    """No attempt is used up."""
    configure_stable(rig, in_job=True)
    await push_payload(rig, "4.19.0")
    service = Service(rig.surroundings, verifier=NoVerifier(), lease_seconds=1e6)
    await service.leadership.renew()
    for _ in range(2):
        await service.sync(STABLE)
    (release,) = await all_of(rig)
    assert (release.phase, release.attempts) == (Phase.PENDING, 0)
    state = await rig.database.read(lambda unit: streams.find(unit, STABLE))
    assert "Jobs of a cluster, and none is known here" in state.waiting
