# SPDX-License-Identifier: Apache-2.0
"""Runs that are ProwJobs: made in Prow's cluster, carried out by Prow, followed by their state.

Where many runs are judged together the job that sums them up is made beside the first of them.
Its result is shown and does not count: the runs themselves are judged, as soon as they are
certain. Logs and results of tests are where Prow's page of the job leads.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from okd_payload.cluster import Cluster
from okd_payload.cluster.kinds import PROW_JOB
from okd_payload.controller.model import FrozenInput, RunState
from okd_payload.controller.records import releases
from okd_payload.controller.surroundings import Surroundings
from okd_payload.controller.verification.cluster_runs import ClusterRun, require_cluster
from okd_payload.controller.verification.endings import clean_words, page_address
from okd_payload.controller.verification.runner import RunContext, RunUpdate
from okd_payload.controller.verification.runners.prowjob.definitions import (
    JobDefinitions,
    PeriodicJob,
)
from okd_payload.controller.verification.runners.prowjob.description import (
    Role,
    aggregator_role,
    describe,
    main_role,
)
from okd_payload.errors import AlreadyThere, ClusterError, InputError, NoSuchObject

STATES = {
    "scheduling": RunState.RUNNING,
    "triggered": RunState.RUNNING,
    "pending": RunState.RUNNING,
    "success": RunState.SUCCEEDED,
    "failure": RunState.FAILED,
    "aborted": RunState.ABORTED,
    "error": RunState.ERROR,
}
"""Prow's words for how far a job is."""
_NOT_NEEDED = "Aborted: nobody needs the result any more."
_DEFAULT_CLUSTER = "default"


class ProwJobStatus(msgspec.Struct, frozen=True):
    """How far a ProwJob is."""

    state: str = ""
    description: str = ""
    url: str = ""

    @property
    def run_state(self) -> RunState:
        """The same in our words; what Prow has not looked at yet is under way."""
        return STATES.get(self.state, RunState.RUNNING)


class _ProwJob(msgspec.Struct, frozen=True):
    status: ProwJobStatus = ProwJobStatus()


class ProwJobRunner:
    """Implements ``Runner`` with ProwJobs."""

    def __init__(self, surroundings: Surroundings, jobs: Path | None) -> None:
        """``jobs`` is the folder with the job definitions."""
        self._surroundings = surroundings
        self._definitions = JobDefinitions(jobs) if jobs else None

    async def start(self, context: RunContext) -> RunUpdate:
        """Make the ProwJob, unless it is there. Raises ClusterError, InputError."""
        cluster = require_cluster(self._surroundings.cluster, "prowjob")
        run = ClusterRun(cluster, PROW_JOB, context)
        settings = context.verification.runner.settings
        now = self._surroundings.clock.now()
        job = await self._find(settings.get("job", ""))
        images = await self._surroundings.database.read(
            lambda unit: releases.read_inputs(unit, context.release.name)
        )
        role = main_role(context, run.name, now=now)
        content = await run.ensure(self._describe(context, job, role, images))
        if self._is_first_of_many(context):
            await self._sum_up(cluster, run, context, images)
        return _tell(run, content)

    async def poll(self, context: RunContext) -> RunUpdate:
        """How far it is. Raises ClusterError."""
        cluster = require_cluster(self._surroundings.cluster, "prowjob")
        run = ClusterRun(cluster, PROW_JOB, context)
        found = await run.read()
        return run.gone() if found is None else _tell(run, found)

    async def cancel(self, context: RunContext) -> None:
        """Abort it, and what would sum it up: Prow ends their pods. Raises ClusterError."""
        cluster = require_cluster(self._surroundings.cluster, "prowjob")
        run = ClusterRun(cluster, PROW_JOB, context)
        await _abort(cluster, run.name, namespace=run.namespace)
        if self._is_first_of_many(context):
            sums = aggregator_role(context, now=self._surroundings.clock.now())
            await _abort(cluster, sums.name, namespace=run.namespace)

    async def _sum_up(
        self, cluster: Cluster, run: ClusterRun, context: RunContext, images: list[FrozenInput]
    ) -> None:
        """Make the job that sums up all runs of the attempt, unless it is there."""
        job = await self._find(context.verification.runner.settings["aggregator"])
        role = aggregator_role(context, now=self._surroundings.clock.now())
        try:
            content = self._describe(context, job, role, images)
            await cluster.create(PROW_JOB, content, namespace=run.namespace)
        except AlreadyThere:
            return

    async def _find(self, name: str) -> PeriodicJob:
        if self._definitions is None:
            raise InputError(
                "jobs of Prow are made from their definitions, and none are known here",
                hint="name their folder when the controller is started: --prow-jobs DIR",
            )
        job = await asyncio.to_thread(self._definitions.find, name)
        if job.cluster in ("", _DEFAULT_CLUSTER):
            raise InputError(
                f"the Prow job {name} names no cluster to run in",
                hint="set `cluster` in its definition to another than `default`",
            )
        return job

    def _describe(
        self, context: RunContext, job: PeriodicJob, role: Role, images: list[FrozenInput]
    ) -> bytes:
        return describe(context, job, role, images, now=self._surroundings.clock.now())

    @staticmethod
    def _is_first_of_many(context: RunContext) -> bool:
        settings = context.verification.runner.settings
        is_first = context.verification.runs > 1 and context.run.number == 0
        return is_first and bool(settings.get("aggregator"))


async def _abort(cluster: Cluster, name: str, *, namespace: str) -> None:
    """Say that the job is aborted, unless it has ended or is not there."""
    try:
        if not _read(await cluster.get(PROW_JOB, name, namespace=namespace)).run_state.is_final:
            status = {"state": "aborted", "description": _NOT_NEEDED}
            content = msgspec.json.encode({"status": status})
            await cluster.patch(PROW_JOB, name, content, namespace=namespace)
    except NoSuchObject:
        return


def _tell(run: ClusterRun, content: bytes) -> RunUpdate:
    status = _read(content)
    state = status.run_state
    message = "" if state is RunState.SUCCEEDED else clean_words(status.description)
    return RunUpdate(state=state, message=message, url=page_address(status.url), handle=run.handle)


def _read(content: bytes) -> ProwJobStatus:
    try:
        return msgspec.json.decode(content, type=_ProwJob).status
    except msgspec.MsgspecError as error:
        raise ClusterError(f"the cluster gives no ProwJob: {error}") from error
