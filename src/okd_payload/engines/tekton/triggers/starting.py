# SPDX-License-Identifier: Apache-2.0
"""The objects that start a pod by themselves: a job by the clock, and a run by an event.

A CronJob of Kubernetes, because Tekton has no clock; a TaskRun as a template of Tekton Triggers,
whose ``$(tt.params.NAME)`` stand for what the event says. They become parameters of the run, and
no text of a script. What a proposal of strangers starts gets no token and pushes nothing.
"""

from __future__ import annotations

from okd_payload.engines.manifests import Metadata
from okd_payload.engines.pod import labels
from okd_payload.engines.pod.accounts import COORDINATOR, PULL_REQUEST
from okd_payload.engines.pod.objects import PodSpec
from okd_payload.engines.pod.tool import PROGRAM, ToolPod, ToolSettings, make_container
from okd_payload.engines.tekton.kubernetes_objects import (
    CronJob,
    CronJobSpecification,
    JobSpecification,
    JobTemplate,
    PodTemplate,
)
from okd_payload.engines.tekton.objects import (
    API_VERSION,
    Given,
    Parameter,
    TaskRunSpec,
    TaskSpec,
    WrittenTaskRun,
    make_step,
    make_template,
)
from okd_payload.engines.tekton.triggers.pods import fetching, proposal_pod
from okd_payload.engines.tekton.triggers.settings import Schedule, StreamSource

PULL_REQUEST_ROLE = "pull-request"
"""The role label of what builds proposals of strangers."""

_FETCH = "fetch"
_DAY = 24 * 3600
_LATE_SECONDS = 3600
"""After this a missed time is left out: the next one builds the same."""
_EVENT_VALUES = ("components", "repository", "commit")


def make_cron_job(
    pod: ToolPod, source: StreamSource, schedule: Schedule, *, account: str, metadata: Metadata
) -> CronJob:
    """The job that runs ``pod`` on the stream of ``source`` by the clock, one at a time."""
    container = pod.container
    inner = Metadata(labels=metadata.labels)
    return CronJob(
        api_version="batch/v1",
        kind="CronJob",
        metadata=metadata,
        spec=CronJobSpecification(
            schedule=schedule.schedule,
            time_zone=schedule.time_zone,
            concurrency_policy="Forbid",
            starting_deadline_seconds=_LATE_SECONDS,
            successful_jobs_history_limit=3,
            failed_jobs_history_limit=3,
            job_template=JobTemplate(
                metadata=inner,
                spec=JobSpecification(
                    backoff_limit=1,
                    active_deadline_seconds=_DAY,
                    ttl_seconds_after_finished=7 * _DAY,
                    template=PodTemplate(
                        metadata=inner,
                        spec=PodSpec(
                            service_account_name=account,
                            restart_policy="Never",
                            security_context=pod.rights.pod,
                            init_containers=(make_container(_FETCH, fetching(container, source)),),
                            containers=(make_container(PROGRAM, container),),
                            volumes=pod.volumes,
                        ),
                    ),
                ),
            ),
        ),
    )


def make_push_run(pod: ToolPod, source: StreamSource, *, metadata: Metadata) -> WrittenTaskRun:
    """What a push starts: the plan is made anew, and what changed is built by runs of its own."""
    return _run(
        pod,
        source,
        account=COORDINATOR,
        uses_api=True,
        metadata=_generated(metadata, "push-", labels.COORDINATOR_ROLE),
    )


def make_proposal_run(
    source: StreamSource,
    settings: ToolSettings,
    *,
    base_release: str,
    depth: int,
    metadata: Metadata,
) -> WrittenTaskRun:
    """What a proposal starts: one pod builds it on top of a release, and keeps what it made.

    The pod has no credentials and no token, and pushes nothing: strangers' code runs in it.
    """
    return _run(
        proposal_pod(source, settings, base_release=base_release, depth=depth),
        source,
        account=PULL_REQUEST,
        uses_api=False,
        metadata=_generated(metadata, "pull-request-", PULL_REQUEST_ROLE),
    )


def _run(
    pod: ToolPod, source: StreamSource, *, account: str, uses_api: bool, metadata: Metadata
) -> WrittenTaskRun:
    container = pod.container
    return WrittenTaskRun(
        api_version=API_VERSION,
        kind="TaskRun",
        metadata=metadata,
        spec=TaskRunSpec(
            params=tuple(Given(name=name, value=f"$(tt.params.{name})") for name in _EVENT_VALUES),
            service_account_name=account,
            timeout="24h0m0s",
            pod_template=make_template(pod.rights, uses_cluster=uses_api),
            task_spec=TaskSpec(
                params=tuple(Parameter(name=name) for name in _EVENT_VALUES),
                steps=(
                    make_step(_FETCH, fetching(container, source)),
                    make_step("build", container),
                ),
                volumes=pod.volumes,
            ),
        ),
    )


def _generated(metadata: Metadata, prefix: str, role: str) -> Metadata:
    """``metadata`` of an object that the server names, and that says what it was made for."""
    return Metadata(
        generate_name=prefix,
        namespace=metadata.namespace,
        labels={**metadata.labels, labels.ROLE: role},
        annotations={
            labels.SOURCE: "$(tt.params.repository)",
            labels.COMMIT: "$(tt.params.commit)",
            labels.COMPONENT_NAME: "$(tt.params.components)",
        },
    )
