# SPDX-License-Identifier: Apache-2.0
"""Payloads made by Jobs: the same as in the server, once, and whatever becomes of the Job."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest
from jobs_rig import INPUT, NAMESPACE, Bench, NoVerifier, describe_pod, encode
from rig import RELEASES, STREAM, Rig

from okd_payload.cluster import kinds
from okd_payload.controller.creation.jobs.description import DEADLINE_SECONDS
from okd_payload.controller.creation.jobs.maker import PATIENCE_SECONDS, JobMaker
from okd_payload.controller.creation.jobs.order import (
    PayloadReport,
)
from okd_payload.controller.creation.makers import UnderWay
from okd_payload.controller.creation.making import make_payload
from okd_payload.controller.model import Phase
from okd_payload.controller.records import releases, streams
from okd_payload.controller.service import Service
from okd_payload.errors import RegistryUnavailable
from okd_payload.testing.jobs import PodEnd, PodWait
from okd_payload.testing.kubernetes import JsonObject, MemoryCluster
from okd_payload.testing.kubernetes.documents import name_of, object_at
from okd_payload.testing.small_stream import OPERATOR_FILES, push_small_stream


@pytest.fixture
async def bench(rig: Rig) -> AsyncIterator[Bench]:
    """The stream of the rig, with inJob."""
    rig.configure(in_job=True)
    made = Bench(rig)
    async with made.simulated:
        yield made


async def test_a_job_makes_the_payload_that_the_server_would_make(bench: Bench) -> None:
    """Digest, images with source and commit, facts: all as in process, read back."""
    begun = await bench.begin()
    assert (begun.phase, begun.job) == (Phase.PENDING, f"{NAMESPACE}/{name_of(bench.job())}")
    assert begun.message == f"the Job {begun.job} makes its payload"
    ready = await bench.go_on()
    assert (ready.phase, ready.job, ready.attempts) == (Phase.READY, "", 1)
    inputs = await bench.rig.database.read(lambda unit: releases.read_inputs(unit, ready.name))
    alone = await make_payload(bench.rig.surroundings, bench.rig.streams[STREAM], begun, inputs)
    assert (ready.digest, ready.pull_spec) == (alone.digest, alone.pull_spec)
    assert tuple(inputs) == alone.images
    assert all(image.commit for image in inputs)
    assert bench.jobs.made == [name_of(bench.job())]


async def test_its_pod_has_no_rights_and_ends_by_itself(bench: Bench) -> None:
    """A restricted namespace takes it; once only, for a bounded time, gone after a while."""
    begun = await bench.begin()
    spec = object_at(bench.job(), "spec")
    assert (spec["backoffLimit"], spec["activeDeadlineSeconds"]) == (0, DEADLINE_SECONDS)
    assert spec["ttlSecondsAfterFinished"] > 0
    (pod,) = bench.simulated.objects(kinds.POD, namespace=NAMESPACE)
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert "runAsUser" not in pod["spec"]["securityContext"]  # OpenShift chooses it
    (container,) = pod["spec"]["containers"]
    security = container["securityContext"]
    assert security["readOnlyRootFilesystem"]
    assert security["runAsNonRoot"]
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert set(container["resources"]) == {"requests", "limits"}
    labels = pod["metadata"]["labels"]
    assert labels["okd-payload.io/release"] == begun.name
    assert labels["app.kubernetes.io/managed-by"] == "okd-payload"


async def test_a_kill_makes_no_second_job(bench: Bench) -> None:
    """Between making the Job and writing that down; whoever goes on finds the same one."""
    await push_small_stream(bench.rig.repository(INPUT))
    await bench.service.leadership.renew()
    release = await bench.go_on()
    inputs = await bench.rig.database.read(lambda unit: releases.read_inputs(unit, release.name))
    cluster = MemoryCluster(NAMESPACE, cluster=bench.simulated)
    surroundings = msgspec.structs.replace(bench.rig.surroundings, cluster=cluster)
    for _ in range(2):  # killed before the record was written
        maker = JobMaker(surroundings, describe_pod)
        begun = await maker.make(bench.rig.streams[STREAM], release, inputs)
        assert isinstance(begun, UnderWay)
    for _ in range(2):
        release = await bench.go_on()
    assert release.phase is Phase.READY
    assert len(bench.jobs.made) == 1


async def test_what_is_wrong_with_the_images_fails_at_once(bench: Bench) -> None:
    """With the pod's own words; no other attempt is made."""
    await push_small_stream(
        bench.rig.repository(INPUT), files=OPERATOR_FILES | {"manifests/image-references": "{"}
    )
    await bench.service.leadership.renew()
    for _ in range(3):
        failed = await bench.go_on()
    assert (failed.phase, failed.reason, failed.job) == (Phase.FAILED, "InvalidPayload", "")
    assert failed.message.startswith("etcd-operator: not valid YAML")
    assert len(bench.jobs.made) == 1


LATER = PayloadReport(error="cannot reach quay.test: 503")
ENDS = {
    "registry": (PodEnd(exit_code=1, message=encode(LATER)), "cannot reach quay.test: 503"),
    "evicted": (PodEnd(evicted="The node was low on memory."), "Evicted: The node was low"),
    "memory": (PodEnd(exit_code=137, reason="OOMKilled"), "ended with 137 (OOMKilled)"),
    "crash": (PodEnd(exit_code=1, message="Traceback: boom\n"), "ended with 1: Traceback: boom"),
    "image": (
        PodWait(reason="ImagePullBackOff", message='Back-off pulling image "quay.test/tool"'),
        "image cannot be pulled: ImagePullBackOff Back-off pulling",
    ),
}


@pytest.mark.parametrize(("end", "words"), ENDS.values(), ids=ENDS)
async def test_other_ends_are_tried_again_for_a_while(
    bench: Bench, end: PodEnd | PodWait, words: str
) -> None:
    """Each attempt is a Job of its own, and the release says what became of it."""

    async def run_pod(_: JsonObject) -> PodEnd | PodWait:
        return end

    bench.run_pod = run_pod
    await bench.begin()
    bench.rig.clock.advance(PATIENCE_SECONDS)
    again = await bench.go_on()
    assert (again.phase, again.attempts, again.job) == (Phase.PENDING, 1, "")
    assert words in again.message
    for _ in range(2):
        bench.rig.clock.advance(1000)
        await bench.go_on()
        bench.rig.clock.advance(PATIENCE_SECONDS)
        last = await bench.go_on()
    assert (last.phase, last.reason, last.attempts) == (Phase.FAILED, "CreateReleaseFailed", 3)
    assert words in last.message
    assert len(set(bench.jobs.made)) == 3


async def test_an_image_that_comes_late_is_waited_for(bench: Bench) -> None:
    """What keeps the pod from starting stands on the release meanwhile."""

    async def run_pod(_: JsonObject) -> PodWait:
        return PodWait(reason="ErrImagePull", message="i/o timeout")

    bench.run_pod = run_pod
    begun = await bench.begin()
    waiting = await bench.go_on()
    assert (waiting.phase, waiting.job) == (Phase.PENDING, begun.job)
    assert "its image cannot be pulled: ErrImagePull i/o timeout" in waiting.message


async def test_a_job_that_hangs_is_ended_by_its_deadline(bench: Bench) -> None:
    """And told from one that failed."""

    async def run_pod(_: JsonObject) -> PodEnd:
        await asyncio.Event().wait()
        return PodEnd()

    bench.run_pod, bench.hangs = run_pod, True
    await bench.begin()
    assert (await bench.go_on()).phase is Phase.PENDING
    bench.rig.clock.advance(DEADLINE_SECONDS + 1)
    bench.jobs.look_at_deadlines(bench.simulated)
    again = await bench.go_on()
    assert (again.attempts, again.job) == (1, "")
    assert "did not end in time" in again.message


async def test_a_job_that_somebody_deletes_is_told_of(bench: Bench) -> None:
    """It is not made again in silence, for ever."""
    begun = await bench.begin()
    bench.rig.repository(RELEASES)
    await bench.rig.repository(RELEASES).manifests.untag(begun.name)
    bench.simulated.delete(kinds.JOB, name_of(bench.job()), namespace=NAMESPACE)
    again = await bench.go_on()
    assert (again.phase, again.attempts) == (Phase.PENDING, 1)
    assert again.message == f"the Job {begun.job} is gone, and {RELEASES} has no {begun.name}"


async def test_what_a_job_made_outlives_it(bench: Bench) -> None:
    """It ended, nobody looked for a day, and the cluster removed it: the payload counts."""
    await bench.begin()
    bench.simulated.delete(kinds.JOB, name_of(bench.job()), namespace=NAMESPACE)
    assert (await bench.go_on(bench.service)).phase is Phase.READY


async def test_a_cluster_that_cannot_be_asked_ends_no_attempt(bench: Bench) -> None:
    """The Job goes on; it is told that nobody can look."""
    begun = await bench.begin()
    blind = bench.start(user="nobody")
    await bench.service.leadership.give_up()
    await blind.leadership.renew()
    waiting = await bench.go_on(blind)
    assert (waiting.phase, waiting.attempts, waiting.job) == (Phase.PENDING, 0, begun.job)
    assert f"the Job {begun.job} cannot be asked: " in waiting.message
    await blind.leadership.give_up()
    await bench.service.leadership.renew()
    assert (await bench.go_on()).phase is Phase.READY


async def test_a_payload_that_cannot_be_read_back_is_waited_for(bench: Bench) -> None:
    """The registry is away just when the Job has ended."""
    begun = await bench.begin()
    bench.rig.errors[RELEASES] = RegistryUnavailable("quay.test is away")
    waiting = await bench.go_on()
    assert (waiting.attempts, waiting.job) == (0, begun.job)
    assert "quay.test is away" in waiting.message
    del bench.rig.errors[RELEASES]
    assert (await bench.go_on()).phase is Phase.READY


async def test_somebody_elses_tag_is_no_payload(bench: Bench) -> None:
    """A release of the same name that was made at another moment does not count."""
    begun = await bench.begin()
    inputs = await bench.rig.database.read(lambda unit: releases.read_inputs(unit, begun.name))
    other = msgspec.structs.replace(begun, created=begun.created - 60)
    await make_payload(bench.rig.surroundings, bench.rig.streams[STREAM], other, inputs)
    bench.simulated.delete(kinds.JOB, name_of(bench.job()), namespace=NAMESPACE)
    assert "is gone" in (await bench.go_on()).message


async def test_a_release_that_nobody_waits_for_lets_go_of_its_job(bench: Bench) -> None:
    """A newer one was begun before its payload was made."""

    async def run_pod(_: JsonObject) -> PodWait:
        return PodWait(reason="ContainerCreating")

    bench.run_pod = run_pod
    begun = await bench.begin()
    newer = msgspec.structs.replace(begun, name=f"{STREAM}-z", created=begun.created + 1, job="")
    await bench.rig.database.write(lambda unit: releases.create(unit, newer, ()))
    await bench.go_on()
    old = await bench.rig.database.read(lambda unit: releases.find(unit, begun.name))
    assert old is not None
    assert (old.phase, old.reason, old.job) == (Phase.FAILED, "Aborted", "")
    names = [name_of(job) for job in bench.simulated.objects(kinds.JOB)]
    assert begun.job.rpartition("/")[2] not in names


async def test_a_release_that_is_made_again_has_another_job(bench: Bench) -> None:
    """The Job of before, which failed, is still there and says nothing of this one."""

    async def run_pod(_: JsonObject) -> PodEnd:
        return PodEnd(exit_code=1, message=encode(PayloadReport(error="broken", certain=True)))

    bench.run_pod = run_pod
    await bench.begin()
    failed = await bench.go_on()
    assert failed.phase is Phase.FAILED
    bench.run_pod = bench.make
    bench.rig.clock.advance(10)
    fresh = msgspec.structs.replace(failed, attempts=0)
    now = bench.rig.clock.now()
    await bench.rig.database.write(
        lambda unit: releases.move(unit, fresh, Phase.PENDING, time=now, reason="Retried")
    )
    for _ in range(2):
        made = await bench.go_on()
    assert made.phase is Phase.READY
    assert len(set(bench.jobs.made)) == 2


async def test_without_a_cluster_nothing_is_begun_and_it_says_why(rig: Rig) -> None:
    """The page tells it, and no attempt is used up."""
    rig.configure(in_job=True)
    service = Service(rig.surroundings, verifier=NoVerifier(), lease_seconds=1e6)
    await push_small_stream(rig.repository(INPUT))
    await service.leadership.renew()
    decision = await service.sync(STREAM)
    assert decision.actions == ()
    state = await rig.database.read(lambda unit: streams.find(unit, STREAM))
    assert "Jobs of a cluster, and none is known here" in state.waiting
