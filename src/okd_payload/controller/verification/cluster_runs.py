# SPDX-License-Identifier: Apache-2.0
"""Runs that are objects of a cluster: made once, found again by name, never taken for others'.

The name of the object follows from the run, so it is the same after a kill; a label says whose it
is. What was deleted by somebody says nothing of the release.
"""

from __future__ import annotations

from collections.abc import Iterable

from okd_payload.cluster import Cluster, ObjectKind
from okd_payload.controller.cluster_objects import (
    MANAGED_LABEL,
    MANAGER,
    RELEASE_LABEL,
    OwnObject,
)
from okd_payload.controller.model import RunState
from okd_payload.controller.verification.object_names import label_value, object_name
from okd_payload.controller.verification.printed_artifacts import take_artifacts
from okd_payload.controller.verification.run_files import LogEnds
from okd_payload.controller.verification.runner import RunContext, RunUpdate
from okd_payload.errors import ClusterError, InputError
from okd_payload.oci.threads import finish_in_thread

RUN_LABEL = "okd-payload.io/run"
_REST_SECONDS = 60.0
"""Between the end of a run's time as its cluster sees it and as the controller does."""


def name_of_run(context: RunContext) -> str:
    """What the run's object is called; release names are lower-case and have only dots more."""
    run = context.run
    parts = [str(run.attempt)] if run.attempt else []
    parts += [f"analysis-{run.number}"] if context.verification.runs > 1 else []
    return object_name(f"{run.release}-{run.verification}".lower(), "-".join(parts))


def labels_of_run(context: RunContext) -> dict[str, str]:
    """By which people find the objects of a release and of a run."""
    return {
        MANAGED_LABEL: MANAGER,
        RUN_LABEL: run_mark(context),
        RELEASE_LABEL: label_value(context.run.release),
        "okd-payload.io/verification": label_value(context.run.verification),
    }


def run_mark(context: RunContext) -> str:
    """What the label of the run says: its object's name, which no other run has."""
    return label_value(name_of_run(context))


def deadline_of(context: RunContext) -> int:
    """Seconds that the cluster gives the run: it ends before we give up, so its log is kept."""
    timeout = context.verification.timeout
    return max(1, int(timeout - min(_REST_SECONDS, timeout / 10)))


class ClusterRun(OwnObject):
    """The object of one run."""

    def __init__(self, cluster: Cluster, kind: ObjectKind, context: RunContext) -> None:
        place, _, name = context.run.handle.rpartition("/")
        namespace = place or context.verification.runner.settings.get("namespace", "")
        handle = f"{namespace or cluster.namespace}/{name or name_of_run(context)}"
        super().__init__(cluster, kind, handle, label=RUN_LABEL, mark=run_mark(context))
        self._folder = context.folder

    async def keep_logs(self, pods: Iterable[tuple[str, str]]) -> None:
        """Keep what the containers ``pods`` (pod and container) printed, one after the other.

        Files that they printed become artifacts. What is gone is said, because logs that cannot
        be had keep no verdict back. Raises StorageError.
        """
        found: LogEnds | None = None
        for pod, container in pods:
            found = found or LogEnds()
            printed = await _read_log(self._cluster, pod, container, namespace=self.namespace)
            found.take(f"==> {pod}/{container}\n".encode())
            found.take(await finish_in_thread(take_artifacts, printed, self._folder))
        if found is not None:
            found.write(self._folder)

    def gone(self) -> RunUpdate:
        """The update of a run whose object is gone."""
        return RunUpdate(
            state=RunState.ERROR, message=f"{self._kind.kind} {self.handle} was deleted"
        )


def require_cluster(cluster: Cluster | None, kind: str) -> Cluster:
    """The cluster. Raises InputError where none is known."""
    if cluster is None:
        raise InputError(
            f"runs of the kind {kind} are made in a cluster, and none is known here",
            hint="start with --cluster, or in a pod of the cluster",
        )
    return cluster


async def _read_log(cluster: Cluster, pod: str, container: str, *, namespace: str) -> bytes:
    """The beginning and the end of what a container printed."""
    ends = LogEnds()
    try:
        async for piece in cluster.follow_log(pod, container, namespace=namespace, follow=False):
            ends.take(piece)
    except ClusterError as error:
        ends.take(f"[{error.message}]\n".encode())
    return ends.content()
