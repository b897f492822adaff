# SPDX-License-Identifier: Apache-2.0
"""Which of the engines a cluster has, and in which version.

An engine is usable when the API server serves the kinds that we write: everybody may ask for that,
and it is true of forks and of engines that somebody else installed. Versions stand in objects
that few may read; they are told where we see them, and never decide.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from okd_payload.cluster import ObjectKind, kinds
from okd_payload.engines.pod.readiness import codes
from okd_payload.engines.pod.readiness.looking import Lookout
from okd_payload.engines.pod.readiness.objects import ConfigMap, Named
from okd_payload.issues import Issue

_VERSION_LABEL = "app.kubernetes.io/version"


class EngineRules(msgspec.Struct, frozen=True, kw_only=True):
    """By what an engine is known, and how one comes by it."""

    title: str
    kinds: tuple[ObjectKind, ...]
    """All of these, in these versions."""
    older: tuple[ObjectKind, ...] = ()
    """Any of these says that it is there, but too old."""
    first: str = ""
    """The first release that has them."""
    install: str


RULES: Mapping[str, EngineRules] = {
    "tekton": EngineRules(
        title="Tekton Pipelines",
        kinds=(kinds.TASK_RUN, kinds.TASK, kinds.PIPELINE, kinds.PIPELINE_RUN),
        older=(ObjectKind("tekton.dev/v1beta1", "TaskRun", "taskruns"),),
        first="0.44",
        install="https://tekton.dev/docs/installation/pipelines/, or on OpenShift the operator of "
        "OpenShift Pipelines",
    ),
    "shipwright": EngineRules(
        title="Shipwright Build",
        kinds=(kinds.SHIPWRIGHT_BUILD, kinds.SHIPWRIGHT_BUILD_RUN, kinds.CLUSTER_BUILD_STRATEGY),
        older=(ObjectKind("shipwright.io/v1alpha1", "Build", "builds"),),
        first="0.12",
        install="https://shipwright.io/docs/getting-started/installation/, after Tekton Pipelines",
    ),
    "openshift": EngineRules(
        title="OpenShift Builds",
        kinds=(kinds.BUILD_CONFIG, kinds.OPENSHIFT_BUILD, kinds.IMAGE_STREAM),
        install="they come with OpenShift; from 4.14 on they are the capability `Build` of "
        "the ClusterVersion",
    ),
}


class FoundEngine(msgspec.Struct, frozen=True, kw_only=True):
    """An engine on the cluster, or its absence."""

    name: str
    title: str
    usable: bool
    outdated: bool = False
    version: str = ""
    """As it says itself, where we may read that."""


async def find_engine(name: str, lookout: Lookout) -> FoundEngine:
    """Whether the cluster has the engine, and which. Raises ClusterUnavailable."""
    rules = RULES[name]
    served = [await lookout.cluster.serves(kind) for kind in rules.kinds]
    older = [await lookout.cluster.serves(kind) for kind in rules.older if not all(served)]
    return FoundEngine(
        name=name,
        title=rules.title,
        usable=all(served),
        outdated=not all(served) and (any(served) or any(older)),
        version=await _VERSIONS[name](lookout) if any(served) or any(older) else "",
    )


def judge_engine(found: FoundEngine) -> list[Issue]:
    """What is wrong with the engine that shall build."""
    rules = RULES[found.name]
    if found.usable:
        return []
    if found.outdated:
        version = f" ({found.version})" if found.version else ""
        first = f" {rules.first}" if rules.first else ""
        issue = codes.ENGINE_TOO_OLD.issue(
            f"{found.title}{version} lacks {_lacking(rules)}",
            hint=f"update it to{first} or later: {rules.install}",
        )
        return [issue]
    return [
        codes.ENGINE_ABSENT.issue(
            f"{found.title} is not installed on this cluster",
            hint=f"{rules.install}; or build with another --engine",
        )
    ]


def _lacking(rules: EngineRules) -> str:
    return f"the API {rules.kinds[0].api_version}"


async def _tekton_version(lookout: Lookout) -> str:
    """What the controller says to everybody, in a ConfigMap for that."""
    for namespace in ("tekton-pipelines", "openshift-pipelines"):
        told = await lookout.find(
            kinds.CONFIG_MAP, "pipelines-info", ConfigMap, namespace=namespace
        )
        if told is not None and told.data.get("version"):
            return told.data["version"]
        name = "tekton-pipelines-controller"
        labelled = await lookout.find(kinds.DEPLOYMENT, name, Named, namespace=namespace)
        if labelled is not None and labelled.metadata.labels.get(_VERSION_LABEL):
            return labelled.metadata.labels[_VERSION_LABEL]
    return ""


async def _shipwright_version(lookout: Lookout) -> str:
    for namespace in ("shipwright-build", "openshift-builds"):
        name = "shipwright-build-controller"
        found = await lookout.find(kinds.DEPLOYMENT, name, Named, namespace=namespace)
        if found is not None and found.metadata.labels.get(_VERSION_LABEL):
            return found.metadata.labels[_VERSION_LABEL]
    return ""


class _Desired(msgspec.Struct, frozen=True):
    version: str = ""


class _VersionStatus(msgspec.Struct, frozen=True):
    desired: _Desired = _Desired()


class _ClusterVersion(msgspec.Struct, frozen=True):
    status: _VersionStatus = _VersionStatus()


async def _openshift_version(lookout: Lookout) -> str:
    found = await lookout.find(kinds.CLUSTER_VERSION, "version", _ClusterVersion)
    return found.status.desired.version if found else ""


_VERSIONS = {
    "tekton": _tekton_version,
    "shipwright": _shipwright_version,
    "openshift": _openshift_version,
}
