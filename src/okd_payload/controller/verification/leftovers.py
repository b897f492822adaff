# SPDX-License-Identifier: Apache-2.0
"""Objects of runs that have ended: kept for a while to be looked at, then deleted.

What a pod or PipelineRun is there for, its verdict, log and artifacts, is on record when its run
has ended; but a cluster keeps such objects, and what they take of it, until somebody deletes
them. The handle of a run says that there may be an object: it is forgotten when that is gone, so a
kill between the two costs a second look. A PipelineRun that still tidies up is waited for. Only
what has the label of its run is deleted. ProwJobs are Prow's, which deletes them by itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

import msgspec
from sqlalchemy import Connection

from okd_payload.cluster.kinds import PIPELINE_RUN, POD
from okd_payload.controller.cluster_objects import OwnObject
from okd_payload.controller.configuration.model import StreamConfiguration, Verification
from okd_payload.controller.model import VerificationRun
from okd_payload.controller.reconciling.actions import CleanUp, Taken
from okd_payload.controller.records import runs
from okd_payload.controller.surroundings import Surroundings
from okd_payload.controller.verification.cluster_runs import RUN_LABEL, require_cluster
from okd_payload.controller.verification.object_names import label_value
from okd_payload.controller.verification.verifier import known_verifications
from okd_payload.errors import ClusterError

Write = Callable[[Callable[[Connection], None]], Awaitable[None]]

KEPT_SECONDS = 3600.0
"""For which people find the object of a run that has ended."""
_TRIED_SECONDS = 7 * 24 * 3600.0
"""After the end of a run, after which an object that cannot be deleted is left to people."""
_RETRY_SECONDS = 600.0
_PATIENCE = 30.0
"""Seconds that a cluster may take for one object."""
_MOST_AT_ONCE = 20
"""Objects that one pass looks at, so that it stays short."""
_KINDS = {"container": POD, "tekton": PIPELINE_RUN}
"""By the kind of the runner."""

_log = logging.getLogger(__name__)


class Removes(Protocol):
    """Deletes objects of runs: ``ObjectRemover``, or what stands in for it."""

    async def remove(self, run: VerificationRun) -> bool:
        """Delete the object of ``run``; whether it is gone, or never was ours.

        Raises ClusterError.
        """
        ...


class _Metadata(msgspec.Struct, frozen=True):
    labels: dict[str, str] | None = None


class _Status(msgspec.Struct, frozen=True, rename="camel"):
    completion_time: str | None = None


class _Object(msgspec.Struct, frozen=True):
    metadata: _Metadata = _Metadata()
    status: _Status = _Status()


class ObjectRemover:
    """Implements ``Removes`` in the cluster that is known."""

    def __init__(self, surroundings: Surroundings, *, patience: float = _PATIENCE) -> None:
        self._surroundings = surroundings
        self._patience = patience

    async def remove(self, run: VerificationRun) -> bool:
        """As ``Removes`` says; not while a PipelineRun has tasks to run."""
        cluster = require_cluster(self._surroundings.cluster, run.runner)
        kind = _KINDS[run.runner]
        mark = label_value(run.handle.rpartition("/")[2])
        left = OwnObject(cluster, kind, run.handle, label=RUN_LABEL, mark=mark)
        try:
            async with asyncio.timeout(self._patience):
                content = await left.read()
                found = msgspec.json.decode(content, type=_Object) if content else _Object()
                if (found.metadata.labels or {}).get(RUN_LABEL) != mark:
                    return True
                if kind is PIPELINE_RUN and found.status.completion_time is None:
                    return False
                await left.delete()
        except TimeoutError as error:
            raise ClusterError(f"the cluster did not answer about {left.handle}") from error
        except msgspec.MsgspecError as error:
            raise ClusterError(f"the cluster gives no {kind.kind}: {error}") from error
        return True


class Leftovers:
    """Deletes what runs left in a cluster; implements ``service.Follower``."""

    def __init__(self, surroundings: Surroundings, remover: Removes, *, write: Write) -> None:
        self._surroundings = surroundings
        self._remover = remover
        self._write = write
        self._retry_at: dict[str, float] = {}
        """When to look again after objects that are not gone, by run: others come first."""

    async def advance(self, configuration: StreamConfiguration) -> float | None:
        """Delete what was kept long enough; when to be called again at the latest."""
        if self._surroundings.cluster is None:
            return None
        now = self._surroundings.clock.now()
        self._retry_at = {run: time for run, time in self._retry_at.items() if time > now}
        found = await self._surroundings.database.read(
            lambda unit: runs.list_with_handles(
                unit, configuration.name, tuple(_KINDS), since=now - _TRIED_SECONDS
            )
        )
        known = known_verifications(configuration)
        far = [run for run in found if _is_far(run, known)]
        due = [run for run in far if self._due(run) <= now]
        for run in due[:_MOST_AT_ONCE]:
            await self._clear(configuration, run)
        if len(due) > _MOST_AT_ONCE:
            return now
        wakes = [self._due(run) for run in far if run not in due or run.id in self._retry_at]
        return min(wakes, default=None)

    def _due(self, run: VerificationRun) -> float:
        return max((run.ended or 0.0) + KEPT_SECONDS, self._retry_at.get(run.id, 0.0))

    async def _clear(self, configuration: StreamConfiguration, run: VerificationRun) -> None:
        what = f"the {_KINDS[run.runner].kind} {run.handle}"
        try:
            is_gone = await self._remover.remove(run)
        except ClusterError as error:
            _log.warning("%s is not deleted now: %s", what, error.message)
            is_gone = False
        if not is_gone:
            self._retry_at[run.id] = self._surroundings.clock.now() + _RETRY_SECONDS
            return
        await self._write(lambda unit: runs.forget_handle(unit, run.id))
        action = CleanUp(release=run.release, reason=f"{what} of a run that has ended")
        self._surroundings.progress(Taken(subject=configuration.name, action=action))


def _is_far(run: VerificationRun, known: Mapping[str, Verification]) -> bool:
    """Whether the run may have been made in a cluster."""
    verification = known.get(run.verification)
    return verification is None or verification.runner.settings.get("where") != "machine"
