# SPDX-License-Identifier: Apache-2.0
"""Shipwright's controller for Builds: says in the status whether a Build can be used."""

from __future__ import annotations

from okd_payload.cluster import Change
from okd_payload.cluster.kinds import SECRET, SHIPWRIGHT_BUILD
from okd_payload.testing.kubernetes.documents import (
    JsonObject,
    list_at,
    name_of,
    namespace_of,
    object_at,
    text_at,
)
from okd_payload.testing.kubernetes.simulated_cluster import SimulatedCluster
from okd_payload.testing.shipwright.strategies import Problem, check_values, find_strategy
from okd_payload.testing.tekton.controllers.reconciling import Controller, Key

_SECRETS = (
    (("output", "pushSecret"), "SpecOutputSecretRefNotFound"),
    (("source", "git", "cloneSecret"), "SpecSourceSecretRefNotFound"),
)


class Builds(Controller):
    """The controller."""

    kinds = (SHIPWRIGHT_BUILD,)

    def key_of(self, change: Change, document: JsonObject) -> Key | None:
        """The Build."""
        return None if change is Change.DELETED else Key(namespace_of(document), name_of(document))

    def reconcile(self, cluster: SimulatedCluster, key: Key) -> float | None:
        """Check the Build, and say so."""
        build = cluster.find(SHIPWRIGHT_BUILD, key.name, namespace=key.namespace)
        if build is not None:
            problem = check_build(cluster, object_at(build, "spec"), key.namespace)
            status = {
                "registered": "False" if problem else "True",
                "reason": problem.reason if problem else "Succeeded",
                "message": problem.message if problem else "all validations succeeded",
            }
            if object_at(build, "status") != status:
                cluster.set_status(SHIPWRIGHT_BUILD, key.name, status, namespace=key.namespace)
        return None


def check_build(cluster: SimulatedCluster, spec: JsonObject, namespace: str) -> Problem | None:
    """Why a Build cannot be used; None when it can."""
    for path, reason in _SECRETS:
        name = text_at(spec, *path)
        if name and cluster.find(SECRET, name, namespace=namespace) is None:
            return Problem(reason, f"referenced secret {name} not found")
    strategy = find_strategy(cluster, spec, namespace)
    if isinstance(strategy, Problem):
        return strategy
    return check_values(strategy, list_at(spec, "paramValues"))
