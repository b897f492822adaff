# SPDX-License-Identifier: Apache-2.0
"""A change becomes a release and is judged, pass by pass, and what goes wrong is told."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
import pytest
from rig import CONTENT, INPUT, RELEASES, STREAM, Rig

from okd_payload.controller.configuration.model import (
    Input,
    Runner,
    StreamConfiguration,
    StreamKind,
    Verification,
)
from okd_payload.controller.model import Phase, Release, RunState, StreamState, VerificationRun
from okd_payload.controller.reconciling.actions import Begin, Make, Settle, Verify
from okd_payload.controller.records import leases, releases, runs, streams
from okd_payload.controller.service import Service
from okd_payload.errors import RegistryUnavailable
from okd_payload.release.load import load_release
from okd_payload.testing.small_stream import OPERATOR_FILES, push_small_stream


class ScriptedVerifier:
    """Gives each run the outcome that a test wants, at once."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self.outcomes: dict[str, RunState] = {}
        self.aborted: list[str] = []

    async def advance(self, configuration: StreamConfiguration, release: Release) -> None:
        """Write one run of each verification."""
        for each in configuration.verifications:
            run = VerificationRun(
                id=f"{release.name}-{each.name}",
                release=release.name,
                verification=each.name,
                state=self.outcomes.get(each.name, RunState.RUNNING),
                runner="scripted",
                queued=self._rig.clock.now(),
                message="no nodes came up",
            )
            await self._rig.database.write(
                lambda unit, run=run: runs.write(unit, run, time=run.queued)
            )

    async def abort(self, release: Release, *, reason: str) -> None:
        """Remember that it was asked for."""
        self.aborted.append(f"{release.name}: {reason}")


@pytest.fixture
def verifier(rig: Rig) -> ScriptedVerifier:
    """A verifier of the test."""
    return ScriptedVerifier(rig)


@pytest.fixture
async def service(rig: Rig, verifier: ScriptedVerifier) -> AsyncIterator[Service]:
    """A service that may act."""
    made = Service(rig.surroundings, verifier=verifier, lease_seconds=1e6)
    await made.leadership.renew()
    yield made
    await made.leadership.give_up()


async def all_of(rig: Rig) -> list[Release]:
    """The releases of the stream, the newest first."""
    return await rig.database.read(lambda unit: releases.list_of(unit, STREAM))


async def state_of(rig: Rig) -> StreamState:
    """What is remembered of the stream."""
    return await rig.database.read(lambda unit: streams.find(unit, STREAM))


E2E = Verification(name="e2e", runner=Runner(kind="manual"))


async def test_a_change_becomes_an_accepted_release(
    rig: Rig, service: Service, verifier: ScriptedVerifier
) -> None:
    """Begun, made, verified, settled: each step in the log, the payload under its name."""
    rig.configure(verifications=(E2E,))
    await push_small_stream(rig.repository(INPUT))
    done = []
    for outcome in (RunState.RUNNING, RunState.RUNNING, RunState.SUCCEEDED, RunState.SUCCEEDED):
        verifier.outcomes["e2e"] = outcome
        done += [type(action) for action in (await service.sync(STREAM)).actions]
        rig.clock.advance(5)
    await service.sync(STREAM)
    assert done == [Begin, Make, Verify, Settle]
    (release,) = await all_of(rig)
    assert (release.phase, release.reason, release.message) == (
        Phase.ACCEPTED,
        "VerificationSucceeded",
        "e2e succeeded",
    )
    payload = await load_release(rig.repository(RELEASES), release.name)
    assert payload.digest == release.digest
    inputs = await rig.database.read(lambda unit: releases.read_inputs(unit, release.name))
    assert {each.reference.partition("@")[0] for each in inputs} == {CONTENT}
    assert all(each.commit for each in inputs)
    steps = await rig.database.read(lambda unit: releases.read_transitions(unit, release.name))
    assert [each.after for each in steps] == [Phase.PENDING, Phase.READY, Phase.ACCEPTED]
    assert (await service.sync(STREAM)).actions == ()


async def test_the_same_content_makes_no_second_release(rig: Rig, service: Service) -> None:
    """However often it is looked at; a change back to what was released is none either."""
    await push_small_stream(rig.repository(INPUT))
    for change in ("one", "one", "two", "one"):
        await push_small_stream(rig.repository(INPUT), change=change)
        for _ in range(3):
            await service.sync(STREAM)
            rig.clock.advance(60)
    assert len(await all_of(rig)) == 2
    state = await state_of(rig)
    asked = msgspec.structs.replace(state, rebuild=True)
    await rig.database.write(lambda unit: streams.write(unit, asked))
    await service.sync(STREAM)
    assert len(await all_of(rig)) == 3
    assert not (await state_of(rig)).rebuild


async def test_a_breaking_change_is_rejected_with_its_reason(
    rig: Rig, service: Service, verifier: ScriptedVerifier
) -> None:
    """A failed verification rejects; what still runs is ended."""
    rig.configure(verifications=(E2E,))
    verifier.outcomes["e2e"] = RunState.FAILED
    await push_small_stream(rig.repository(INPUT))
    for _ in range(4):
        await service.sync(STREAM)
    (release,) = await all_of(rig)
    assert (release.phase, release.message) == (Phase.REJECTED, "e2e failed: no nodes came up")
    assert verifier.aborted == [f"{release.name}: the release is rejected"]


async def test_images_that_make_no_payload_fail_at_once(rig: Rig, service: Service) -> None:
    """No attempt would change it: the next change of the images is a new release."""
    await push_small_stream(
        rig.repository(INPUT), files=OPERATOR_FILES | {"manifests/image-references": "{"}
    )
    for _ in range(2):
        await service.sync(STREAM)
    (release,) = await all_of(rig)
    assert (release.phase, release.reason, release.attempts) == (
        Phase.FAILED,
        "InvalidPayload",
        1,
    )
    assert "etcd-operator" in release.message


async def test_a_registry_that_is_down_is_tried_again_a_few_times(
    rig: Rig, service: Service
) -> None:
    """Later and later, with the reason in the record, and then the release has failed."""
    await push_small_stream(rig.repository(INPUT))
    await service.sync(STREAM)
    rig.errors[RELEASES] = RegistryUnavailable("the registry is down")
    waits = []
    for _ in range(3):
        decision = await service.sync(STREAM)
        (release,) = await all_of(rig)
        waits.append(release.retry_at and release.retry_at - rig.clock.now())
        assert release.message == "the registry is down"
        assert [type(action) for action in decision.actions] == [Make]
        assert (await service.sync(STREAM)).actions == ()
        rig.clock.advance(1000)
    assert waits == [60.0, 300.0, None]
    assert (release.phase, release.reason) == (Phase.FAILED, "CreateReleaseFailed")


async def test_a_registry_that_comes_back_is_made_use_of(rig: Rig, service: Service) -> None:
    """A release whose first attempt failed ends well, and says nothing of it any more."""
    await push_small_stream(rig.repository(INPUT))
    await service.sync(STREAM)
    rig.errors[CONTENT] = RegistryUnavailable("down")
    await service.sync(STREAM)
    rig.errors.clear()
    rig.clock.advance(61)
    await service.sync(STREAM)
    (release,) = await all_of(rig)
    assert (release.phase, release.attempts, release.message) == (Phase.READY, 2, "")


async def test_an_input_that_cannot_be_read_is_told_and_waited_for(
    rig: Rig, service: Service
) -> None:
    """The page can say since when, and what was begun before goes on."""
    await push_small_stream(rig.repository(INPUT))
    await service.sync(STREAM)
    rig.errors[INPUT] = RegistryUnavailable("the registry is down")
    since = rig.clock.now()
    for _ in range(2):
        await service.sync(STREAM)
        rig.clock.advance(60)
    state = await state_of(rig)
    assert (state.error, state.error_since) == ("the registry is down", since)
    (release,) = await all_of(rig)
    assert release.phase is Phase.PENDING  # its images were not kept before the input went
    rig.errors.clear()
    rig.clock.advance(1000)
    await service.sync(STREAM)
    assert (await state_of(rig)).error == ""


async def test_the_shared_images_of_another_stream_are_taken_over(
    rig: Rig, service: Service
) -> None:
    """X.Y becomes scos-X.Y but for what is built here, and a release follows."""
    other = "quay.test/ocp/4.20"
    await push_small_stream(rig.repository(other), change="of OCP")
    own = await push_small_stream(rig.repository(INPUT), change="of OKD")
    rig.configure(input=Input(repository=INPUT, mirror_from=other, mirror_exclude=("cluster-*",)))
    for _ in range(2):
        await service.sync(STREAM)
    (release,) = await all_of(rig)
    inputs = await rig.database.read(lambda unit: releases.read_inputs(unit, release.name))
    found = {each.tag: each.digest for each in inputs}
    assert found["etcd"] != own["etcd"]
    rig.errors[other] = RegistryUnavailable("down")
    await service.sync(STREAM)
    assert (await state_of(rig)).error == f"mirroring {other}: down"


async def test_who_does_not_act_writes_nothing(rig: Rig, verifier: ScriptedVerifier) -> None:
    """An instance that was taken for dead is refused by the database."""
    await push_small_stream(rig.repository(INPUT))
    sleeper = Service(rig.surroundings, verifier=verifier)
    await sleeper.leadership.renew()
    rig.clock.advance(60)
    other = msgspec.structs.replace(rig.surroundings, instance="controller-1")
    successor = Service(other, verifier=verifier)
    await successor.leadership.renew()
    assert successor.leadership.is_acting
    assert not sleeper.leadership.is_acting
    with pytest.raises(leases.LeaseLost):
        await sleeper.sync(STREAM)
    assert await all_of(rig) == []
    await successor.sync(STREAM)
    assert len(await all_of(rig)) == 1


async def test_a_stream_whose_name_makes_no_version_fails_at_once(
    rig: Rig, service: Service
) -> None:
    """Waiting changes nothing about what its owner has to change; the release says what it is."""
    rig.configure("nightly")
    await push_small_stream(rig.repository(INPUT))
    for _ in range(2):
        await service.sync("nightly")
    (release,) = await rig.database.read(lambda unit: releases.list_of(unit, "nightly"))
    assert (release.phase, release.attempts) == (Phase.FAILED, 1)
    assert "is not a semantic version" in release.message


@pytest.mark.parametrize("kind", StreamKind)
async def test_a_stream_without_a_place_says_so(
    rig: Rig, service: Service, kind: StreamKind
) -> None:
    """One of OpenShift's files, whose image stream nobody follows: nothing is tried in vain."""
    nowhere = {"content": "", "releases": "", "content_name": "", "releases_name": ""}
    rig.configure(kind=kind, input=Input(), imported=b"{}", **nowhere)
    began = rig.clock.now()
    for _ in range(2):
        assert (await service.sync(STREAM)).actions == ()
        rig.clock.advance(60)
    state = await state_of(rig)
    assert "does not say where images are" in state.waiting
    assert (state.error, state.error_since) == (state.waiting, began)
    rig.configure(kind=kind)
    await service.sync(STREAM)
    state = await state_of(rig)
    assert (state.error, state.error_since, state.waiting) == ("", None, "")
