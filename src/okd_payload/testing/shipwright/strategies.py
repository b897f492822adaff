# SPDX-License-Identifier: Apache-2.0
"""Build strategies: where they are, and whether the values of a build fit their parameters."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from okd_payload.cluster.kinds import BUILD_STRATEGY, CLUSTER_BUILD_STRATEGY
from okd_payload.testing.kubernetes.documents import JsonObject, list_at, object_at, text_at
from okd_payload.testing.kubernetes.simulated_cluster import SimulatedCluster

_KINDS = {"BuildStrategy": BUILD_STRATEGY, "ClusterBuildStrategy": CLUSTER_BUILD_STRATEGY}


class Problem(msgspec.Struct, frozen=True):
    """Why something cannot be built."""

    reason: str
    message: str


def find_strategy(
    cluster: SimulatedCluster, build: JsonObject, namespace: str
) -> JsonObject | Problem:
    """The strategy that a Build's specification names."""
    name = text_at(build, "strategy", "name")
    wanted = text_at(build, "strategy", "kind") or "BuildStrategy"
    kind = _KINDS.get(wanted)
    if kind is None:
        return Problem(
            "UnknownBuildStrategyKind",
            f"unknown strategy kind {wanted} used, must be one of BuildStrategy, "
            "or ClusterBuildStrategy",
        )
    found = cluster.find(kind, name, namespace=namespace if kind.namespaced else "")
    if found is not None:
        return found
    if kind.namespaced:
        message = f"buildStrategy {name} does not exist in namespace {namespace}"
        return Problem("BuildStrategyNotFound", message)
    return Problem("ClusterBuildStrategyNotFound", f"clusterBuildStrategy {name} does not exist")


def check_values(strategy: JsonObject, values: Iterable[JsonObject]) -> Problem | None:
    """Whether all values are for parameters of the strategy, and of their types."""
    values = list(values)
    reserved = [it["name"] for it in values if it["name"].startswith("shp-")]
    if reserved:
        names = ", ".join(reserved)
        message = f"The following parameters are restricted and cannot be set: {names}"
        return Problem("RestrictedParametersInUse", message)
    known = {it["name"]: it for it in list_at(strategy, "spec", "parameters")}
    unknown = [it["name"] for it in values if it["name"] not in known]
    if unknown:
        names = ", ".join(unknown)
        message = f"The following parameters are not defined in the build strategy: {names}"
        return Problem("UndefinedParameter", message)
    wrong = [
        it["name"]
        for it in values
        if ("values" in it) != (known[it["name"]].get("type", "string") == "array")
    ]
    if wrong:
        names = ", ".join(wrong)
        message = f"The values for the following parameters are using the wrong type: {names}"
        return Problem("WrongParameterValueType", message)
    return None


def check_all_given(strategy: JsonObject, values: Iterable[JsonObject]) -> Problem | None:
    """Whether parameters without a default have a value."""
    given = {it["name"] for it in values}
    missing = [
        it["name"]
        for it in list_at(strategy, "spec", "parameters")
        if it["name"] not in given and "default" not in it and "defaults" not in it
    ]
    if not missing:
        return None
    names = ", ".join(missing)
    message = f"The following parameters are required but no value has been provided: {names}"
    return Problem("MissingParameterValues", message)


def combined_values(build: JsonObject, run: JsonObject) -> list[JsonObject]:
    """The values of a Build, and those of a BuildRun in their place."""
    values = {it["name"]: it for it in list_at(build, "paramValues")}
    values |= {it["name"]: it for it in list_at(run, "paramValues")}
    return list(values.values())


def strategy_label(strategy: JsonObject) -> dict[str, str]:
    """The labels by which a TaskRun says what strategy it follows."""
    prefix = strategy.get("kind", "BuildStrategy").lower()
    metadata = object_at(strategy, "metadata")
    return {
        f"{prefix}.shipwright.io/generation": str(metadata.get("generation", 1)),
        f"{prefix}.shipwright.io/name": str(metadata.get("name", "")),
    }
