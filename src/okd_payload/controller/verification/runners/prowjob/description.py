# SPDX-License-Identifier: Apache-2.0
"""The ProwJob of a run: a periodic job, told which release it is about.

Labels, annotations and environment are those of OpenShift's release controller, so whatever
reads its jobs reads ours: dashboards, its own update graph, and tools that count results. On
purpose different: releases are named by digest, and a label of ours says whose job it is.
"""

from __future__ import annotations

import copy
import datetime as dt
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from okd_payload.cluster.kinds import PROW_JOB
from okd_payload.controller.model import FrozenInput
from okd_payload.controller.verification.cluster_runs import RUN_LABEL, run_mark
from okd_payload.controller.verification.contract import (
    INITIAL,
    LATEST,
    architecture_of,
    image_format,
    image_variables,
    release_variables,
)
from okd_payload.controller.verification.object_names import MAX_NAME, object_name
from okd_payload.controller.verification.runner import RunContext
from okd_payload.controller.verification.runners.prowjob.definitions import PeriodicJob

VERIFY_LABEL = "release.openshift.io/verify"
TAG, FROM_TAG = "release.openshift.io/tag", "release.openshift.io/from-tag"
ARCHITECTURE, SOURCE = "release.openshift.io/architecture", "release.openshift.io/source"
_PAYLOAD = "release.openshift.io/payload"
_ANALYSIS, _AGGREGATOR = "release.openshift.io/analysis", "release.openshift.io/aggregator"
_PARAMETER = "--multi-stage-param=RELEASE_CONTROLLER_JOB=true"
_ENDS = re.compile(r"^[^A-Za-z0-9]+|[^A-Za-z0-9]+$")


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """What a ProwJob is among those of its run."""

    name: str
    """Of the object."""
    job: str
    """What Prow calls the job."""
    labels: dict[str, str]
    overrides: dict[str, str] = {}
    """What the variables are set to that the job declares."""


def main_role(context: RunContext, name: str, *, now: float) -> Role:
    """The job that tests the release."""
    settings = context.verification.runner.settings
    job = settings.get("job", "")
    is_analysis = context.verification.runs > 1
    label = (_ANALYSIS, context.run.release) if is_analysis else (VERIFY_LABEL, "true")
    is_judge = settings.get("multiJobAnalysis") == "true"
    overrides = _analysis(context, job, now=now) if is_judge else {}
    return Role(name=name, job=job, labels=dict([label]), overrides=overrides)


def aggregator_role(context: RunContext, *, now: float) -> Role:
    """The job that sums up the runs of one attempt, for people and dashboards."""
    run = context.run
    settings = context.verification.runner.settings
    suffix = f"aggregator-{run.attempt}" if run.attempt else "aggregator"
    return Role(
        name=object_name(f"{run.release}-{run.verification}".lower(), suffix),
        job=f"{run.verification}-{settings.get('aggregator', '')}",
        labels={_AGGREGATOR: run.release, VERIFY_LABEL: "true"},
        overrides=_analysis(context, settings.get("job", ""), now=now),
    )


def describe(
    context: RunContext,
    job: PeriodicJob,
    role: Role,
    images: Iterable[FrozenInput],
    *,
    now: float,
) -> bytes:
    """The object that is made for ``role``, as it is sent to the cluster."""
    run, configuration = context.run, context.configuration
    annotations = {
        **job.annotations,
        "prow.k8s.io/context": "",
        "prow.k8s.io/job": role.job,
        ARCHITECTURE: architecture_of(configuration),
        SOURCE: configuration.input.image_stream or configuration.name,
        TAG: run.release,
    }
    if run.from_release:
        annotations[FROM_TAG] = run.from_release
    labels = {
        **job.labels,
        "capability/rce": "rce",
        "created-by-prow": "true",
        "prow.k8s.io/context": "",
        "prow.k8s.io/job": _cut(role.job),
        "prow.k8s.io/type": "periodic",
        **_reference_labels(job),
        _PAYLOAD: run.release,
        **role.labels,
        RUN_LABEL: run_mark(context),
    }
    made = {
        "apiVersion": PROW_JOB.api_version,
        "kind": PROW_JOB.kind,
        "metadata": {"name": role.name, "labels": labels, "annotations": annotations},
        "spec": _spec(job, role, _variables(context, role, images)),
        "status": {"state": "triggered", "startTime": _moment(now)},
    }
    return msgspec.json.encode(made)


def _spec(job: PeriodicJob, role: Role, variables: _Variables) -> dict[str, Any]:
    defaults = {"tenant_id": "GlobalDefaultID", **job.prowjob_defaults}
    spec: dict[str, Any] = {
        "type": "periodic",
        "agent": job.agent,
        "cluster": job.cluster,
        "namespace": job.namespace,
        "job": role.job,
        "report": True,
        "pod_spec": _pod_spec(job.spec, variables),
        "prowjob_defaults": defaults,
    }
    optional = {
        "extra_refs": list(job.extra_refs),
        "decoration_config": job.decoration_config if job.decorate else None,
        "reporter_config": job.reporter_config,
        "rerun_auth_config": job.rerun_auth_config,
        "max_concurrency": job.max_concurrency,
        "hidden": job.hidden,
        "error_on_eviction": job.error_on_eviction,
        "job_queue_name": job.job_queue_name,
    }
    return spec | {name: value for name, value in optional.items() if value}


class _Variables(msgspec.Struct, frozen=True, kw_only=True):
    """The environment of a run."""

    always: dict[str, str]
    """Set in every container."""
    declared: dict[str, str]
    """Set where the job declares them."""


def _variables(context: RunContext, role: Role, images: Iterable[FrozenInput]) -> _Variables:
    latest = context.release.pull_spec
    declared = {
        LATEST: latest,
        INITIAL: context.run.from_pull_spec or latest,
        **image_variables(images),
        **role.overrides,
    }
    if form := image_format(context.configuration):
        declared["IMAGE_FORMAT"] = form
    always = {
        **release_variables(context),
        "OPENSHIFT_INSTALL_AWS_PUBLIC_ONLY": "false",
        **context.verification.runner.environment,
    }
    return _Variables(always=always, declared=declared)


def _pod_spec(spec: Mapping[str, Any], variables: _Variables) -> dict[str, Any]:
    changed = copy.deepcopy(dict(spec))
    for container in changed.get("containers", []):
        given = container.get("env") or []
        known = {**variables.declared, **variables.always}
        container["env"] = [
            {"name": each["name"], "value": known[each["name"]]}
            if each.get("name") in known
            else each
            for each in given
        ]
        there = {each.get("name") for each in given}
        container["env"] += [
            {"name": name, "value": value}
            for name, value in variables.always.items()
            if name not in there
        ]
        container["args"] = [*(container.get("args") or []), _PARAMETER]
    return changed


def _analysis(context: RunContext, job: str, *, now: float) -> dict[str, str]:
    """What a job is told that judges other jobs of the release."""
    return {
        "PAYLOAD_TAG": context.run.release,
        "VERIFICATION_JOB_NAME": job,
        "JOB_START_TIME": _moment(now),
    }


def _reference_labels(job: PeriodicJob) -> dict[str, str]:
    if not job.extra_refs:
        return {}
    first = job.extra_refs[0]
    return {
        f"prow.k8s.io/refs.{name}": _cut(str(first[name]))
        for name in ("org", "repo", "base_ref")
        if first.get(name)
    }


def _cut(text: str) -> str:
    """``text`` as Prow makes a label's value of it."""
    return _ENDS.sub("", text[:MAX_NAME])


def _moment(now: float) -> str:
    return dt.datetime.fromtimestamp(int(now), tz=dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
