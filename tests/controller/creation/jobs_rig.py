# SPDX-License-Identifier: Apache-2.0
"""A controller whose payloads are made by Jobs of a simulated cluster, and what their pods do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
from rig import STREAM, Rig

from okd_payload.cluster import kinds
from okd_payload.controller.creation.jobs.maker import JobMaker
from okd_payload.controller.creation.jobs.order import PayloadReport, decode_order, report_of
from okd_payload.controller.creation.makers import ChosenMaker, ProcessMaker
from okd_payload.controller.model import Release
from okd_payload.controller.records import releases
from okd_payload.controller.service import Service
from okd_payload.engines.pod.plain import plain_pod_spec
from okd_payload.engines.pod.tool import ToolSettings
from okd_payload.errors import OkdPayloadError
from okd_payload.testing.jobs import Jobs, PodEnd, PodWait
from okd_payload.testing.kubernetes import JsonObject, MemoryCluster, SimulatedCluster
from okd_payload.testing.kubernetes.documents import list_at
from okd_payload.testing.small_stream import push_small_stream

NAMESPACE = "releases"
INPUT = "quay.test/okd/scos"


class NoVerifier:
    """Nothing is verified here."""

    async def advance(self, configuration: object, release: Release) -> None:
        """Nothing."""

    async def abort(self, release: Release, *, reason: str) -> None:
        """Nothing."""


class Bench:
    """A controller whose payloads are made by Jobs of a simulated cluster."""

    def __init__(self, rig: Rig, stream: str = STREAM) -> None:
        self.rig = rig
        self.stream = stream
        self.simulated = SimulatedCluster(clock=rig.clock)
        self.simulated.add_namespace(
            NAMESPACE, {"pod-security.kubernetes.io/enforce": "restricted"}
        )
        self.run_pod: Callable[[JsonObject], Awaitable[PodEnd | PodWait]] = self.make
        self.hangs = False
        self.jobs = Jobs(self.run)
        self.simulated.controllers.append(self.jobs)
        self.service = self.start()

    def start(self, *, user: str = "") -> Service:
        """A controller over the same records, as after a kill; ``user`` has few rights."""
        cluster = MemoryCluster(NAMESPACE, cluster=self.simulated)
        if user:
            cluster = MemoryCluster(NAMESPACE, cluster=self.simulated, user=user)
        surroundings = msgspec.structs.replace(self.rig.surroundings, cluster=cluster)
        maker = ChosenMaker(
            process=ProcessMaker(surroundings), jobs=JobMaker(surroundings, describe_pod)
        )
        return Service(surroundings, verifier=NoVerifier(), maker=maker, lease_seconds=1e6)

    async def run(self, pod: JsonObject) -> PodEnd | PodWait:
        """What the test wants of a pod."""
        return await self.run_pod(pod)

    async def make(self, pod: JsonObject) -> PodEnd:
        """What ``okd-payload step payload`` does, over the repositories of the rig."""
        arguments = list_at(pod, "spec", "containers")[0]["args"]
        order = decode_order(arguments[arguments.index("--order") + 1])
        try:
            made = await ProcessMaker(self.rig.surroundings).make(
                order.to_configuration(), order.to_release(), order.inputs
            )
        except OkdPayloadError as error:
            return PodEnd(exit_code=1, message=encode(report_of(error)))
        return PodEnd(message=encode(PayloadReport(warnings=made.warnings)))

    async def go_on(self, service: Service | None = None) -> Release:
        """One pass, what the cluster does then, and the newest release."""
        await (service or self.service).sync(self.stream)
        if not self.hangs:
            await self.jobs.quiet()
        return await self.release()

    async def release(self) -> Release:
        """The newest release."""
        found = await self.rig.database.read(lambda unit: releases.list_of(unit, self.stream))
        return found[0]

    def job(self) -> JsonObject:
        """The one Job that there is."""
        (job,) = self.simulated.objects(kinds.JOB)
        return job

    async def begin(self) -> Release:
        """A release whose Job is made, and has not run yet."""
        await push_small_stream(self.rig.repository(INPUT))
        await self.service.leadership.renew()
        await self.go_on()
        return await self.go_on()


def encode(report: PayloadReport) -> str:
    """As the pod writes it."""
    return msgspec.json.encode(report).decode()


def describe_pod(arguments: tuple[str, ...]) -> msgspec.Raw:
    """As the command line describes it."""
    return msgspec.Raw(msgspec.json.encode(plain_pod_spec(arguments, ToolSettings())))
