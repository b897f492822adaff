# SPDX-License-Identifier: Apache-2.0
"""How long ended BuildRuns are kept: by their age, and by how many there are of a Build."""

from __future__ import annotations

from okd_payload.cluster.kinds import SHIPWRIGHT_BUILD, SHIPWRIGHT_BUILD_RUN
from okd_payload.testing.kubernetes.documents import (
    JsonObject,
    labels_of,
    metadata_of,
    name_of,
    namespace_of,
    object_at,
    text_at,
)
from okd_payload.testing.kubernetes.simulated_cluster import SimulatedCluster
from okd_payload.testing.tekton.admission.values import SECOND, nanoseconds
from okd_payload.testing.tekton.controllers.task_runs import condition_of, is_done, moment

_BUILD_NAME = "build.shipwright.io/name"


def over_at(cluster: SimulatedCluster, run: JsonObject) -> float | None:
    """When an ended run deletes itself; None when it stays."""
    field = "ttlAfterSucceeded" if _succeeded(run) else "ttlAfterFailed"
    build = _build_of(cluster, run)
    limit = object_at(run, "spec", "retention").get(field)
    limit = limit or object_at(build, "spec", "retention").get(field)
    ended = text_at(run, "status", "completionTime")
    if not limit or not ended:
        return None
    return moment(ended) + nanoseconds(limit) / SECOND


def keep_within_limits(cluster: SimulatedCluster, run: JsonObject) -> None:
    """Delete the oldest runs of the Build of ``run`` that are more than it keeps."""
    succeeded = _succeeded(run)
    field = "succeededLimit" if succeeded else "failedLimit"
    limit = object_at(_build_of(cluster, run), "spec", "retention").get(field)
    if not limit:
        return
    others = [
        it
        for it in cluster.objects(SHIPWRIGHT_BUILD_RUN, namespace=namespace_of(run))
        if labels_of(it).get(_BUILD_NAME) == labels_of(run).get(_BUILD_NAME)
        and is_done(it)
        and _succeeded(it) == succeeded
    ]
    others.sort(key=lambda it: (metadata_of(it)["creationTimestamp"], name_of(it)))
    for old in others[:-limit]:
        cluster.delete(SHIPWRIGHT_BUILD_RUN, name_of(old), namespace=namespace_of(old))


def _build_of(cluster: SimulatedCluster, run: JsonObject) -> JsonObject:
    name = labels_of(run).get(_BUILD_NAME, "")
    found = cluster.find(SHIPWRIGHT_BUILD, name, namespace=namespace_of(run)) if name else None
    return found or {}


def _succeeded(run: JsonObject) -> bool:
    return bool(condition_of(run).get("status") == "True")
