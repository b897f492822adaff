# SPDX-License-Identifier: Apache-2.0
"""Runs that are objects of a cluster: made once, found again by name, never taken for others'.

The name of the object follows from the run, so it is the same after a kill; a label says whose it
is. What was deleted by somebody says nothing of the release.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from okd_payload.cluster import Cluster, ObjectKind
from okd_payload.controller.model import RunState
from okd_payload.controller.verification.object_names import label_value, object_name
from okd_payload.controller.verification.runner import RunContext, RunUpdate
from okd_payload.errors import AlreadyThere, ClusterError, Conflict, InputError, NoSuchObject

RUN_LABEL = "okd-payload.io/run"
MANAGED_LABEL = "app.kubernetes.io/managed-by"
MANAGER = "okd-payload"


class _Metadata(msgspec.Struct, frozen=True):
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None


class _Object(msgspec.Struct, frozen=True):
    metadata: _Metadata = _Metadata()


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
        "okd-payload.io/release": label_value(context.run.release),
        "okd-payload.io/verification": label_value(context.run.verification),
    }


def run_mark(context: RunContext) -> str:
    """What the label of the run says: its object's name, which no other run has."""
    return label_value(name_of_run(context))


class ClusterRun:
    """The object of one run."""

    def __init__(self, cluster: Cluster, kind: ObjectKind, context: RunContext) -> None:
        self._cluster = cluster
        self._kind = kind
        self._context = context
        place, _, name = context.run.handle.rpartition("/")
        settings = context.verification.runner.settings
        self.namespace = place or settings.get("namespace") or cluster.namespace
        self.name = name or name_of_run(context)

    @property
    def handle(self) -> str:
        """By which it is found again."""
        return f"{self.namespace}/{self.name}"

    async def ensure(self, content: bytes) -> bytes:
        """The object, made of ``content`` unless it is there. Raises ClusterError.

        Conflict when somebody else's object has its name.
        """
        try:
            return await self._cluster.create(self._kind, content, namespace=self.namespace)
        except AlreadyThere:
            found = await self._cluster.get(self._kind, self.name, namespace=self.namespace)
            labels = msgspec.json.decode(found, type=_Object).metadata.labels or {}
            if labels.get(RUN_LABEL) != run_mark(self._context):
                raise Conflict(
                    f"{self._kind.kind} {self.handle} is there and is not of this run",
                    hint="delete it, or let the verification have another name",
                ) from None
            return found

    async def read(self) -> bytes | None:
        """The object, None when it is gone. Raises ClusterError."""
        try:
            return await self._cluster.get(self._kind, self.name, namespace=self.namespace)
        except NoSuchObject:
            return None

    async def patch(self, content: object) -> None:
        """Change it; one that is gone is no error. Raises ClusterError."""
        try:
            await self._cluster.patch(
                self._kind, self.name, msgspec.json.encode(content), namespace=self.namespace
            )
        except NoSuchObject:
            return

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


async def read_logs(
    cluster: Cluster, pods: Iterable[tuple[str, str]], *, namespace: str, bound: int
) -> bytes:
    """What the containers ``pods`` (pod and container) printed, one after the other.

    Of each the beginning and the end are kept; what is gone is said. Raises nothing: logs that
    cannot be had keep no verdict back.
    """
    found: list[bytes] = []
    for pod, container in pods:
        found.append(f"==> {pod}/{container}\n".encode())
        kept = bytearray()
        try:
            async for piece in cluster.follow_log(
                pod, container, namespace=namespace, follow=False
            ):
                kept += piece
                if len(kept) > 4 * bound:
                    del kept[bound : len(kept) - bound]
        except ClusterError as error:
            kept += f"[{error.message}]\n".encode()
        found.append(bytes(kept))
    return b"".join(found)
