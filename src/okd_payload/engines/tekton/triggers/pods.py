# SPDX-License-Identifier: Apache-2.0
"""The pods that start by themselves: they fetch the stream from git, and run one command on it.

The stream is fetched by git itself, without a shell, so no name in it can be anything else than a
name. All else is the tool's own pod, as every engine has it.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable

import msgspec

from okd_payload.engines.manifests import Manifest, Metadata
from okd_payload.engines.pod import labels
from okd_payload.engines.pod.accounts import BUILDER, COORDINATOR, PULL_REQUEST
from okd_payload.engines.pod.objects import (
    Capabilities,
    EnvironmentVariable,
    PodSecurity,
    SeccompProfile,
)
from okd_payload.engines.pod.tool import (
    PROGRAM,
    WORK_FOLDER,
    ToolContainer,
    ToolPod,
    ToolSettings,
    build_pod,
    plain_pod,
    registry_words,
)
from okd_payload.engines.tekton.kubernetes_objects import (
    Container,
    CronJob,
    CronJobSpecification,
    JobSpecification,
    JobTemplate,
    PodSpecification,
    PodTemplate,
)
from okd_payload.engines.tekton.objects import (
    DeclaredParameter,
    Parameter,
    Step,
    TaskRunSpec,
    TaskSpec,
)
from okd_payload.engines.tekton.objects import PodTemplate as TaskPodTemplate
from okd_payload.engines.tekton.triggers.settings import Schedule, StreamSource

PULL_REQUEST_ROLE = "pull-request"
"""The role label of what builds proposals of strangers."""
STREAM_FOLDER = f"{WORK_FOLDER}/stream"
REPORT_FOLDER = f"{WORK_FOLDER}/report"
_SNAPSHOT_FILE = f"{WORK_FOLDER}/snapshot"

_FETCH = "fetch"
_DAY = 24 * 3600
_LATE_SECONDS = 3600
"""After this a missed time is left out: the next one builds the same."""
_EVENT_VALUES = ("components", "repository", "commit")


class Coordination(msgspec.Struct, frozen=True, kw_only=True):
    """What is built where, whenever it starts by itself."""

    namespace: str
    repository: str
    """Where images are kept."""
    releases: str = ""
    """Where releases go; empty for where the stream says."""
    makes_releases: bool = True
    jobs: int = 0
    """Builds at a time; 0 for the default."""


class TriggeredRun(Manifest, frozen=True, kw_only=True):
    """A TaskRun that an event makes."""

    spec: TaskRunSpec


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
                        spec=PodSpecification(
                            service_account_name=account,
                            restart_policy="Never",
                            security_context=pod.rights.pod,
                            init_containers=(_container(_FETCH, _fetching(container, source)),),
                            containers=(_container("okd-payload", container),),
                            volumes=pod.volumes,
                        ),
                    ),
                ),
            ),
        ),
    )


def make_push_run(pod: ToolPod, source: StreamSource, *, metadata: Metadata) -> TriggeredRun:
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
) -> TriggeredRun:
    """What a proposal starts: one pod builds it on top of a release, and keeps what it made.

    The pod has no credentials and no token, and pushes nothing: strangers' code runs in it.
    """
    alone = msgspec.structs.replace(settings, credentials="")
    words = (
        "build",
        stream_path(source),
        *("--change", "$(params.repository)@$(params.commit)", "--depth", str(depth)),
        *("--from-release", base_release, "--report", REPORT_FOLDER),
        *registry_words(alone),
    )
    return _run(
        build_pod(words, alone),
        source,
        account=PULL_REQUEST,
        uses_api=False,
        metadata=_generated(metadata, "pull-request-", PULL_REQUEST_ROLE),
    )


def coordinator_pod(work: Coordination, source: StreamSource, settings: ToolSettings) -> ToolPod:
    """The pod that freezes the stream, has every component built, and pushes the release.

    Three commands of the tool, the last two on the snapshot that the first one made, which a
    shell hands over. Every word is quoted here, and none of them comes from an event.
    """
    registries = registry_words(settings)
    snapshot = (
        *("step", "snapshot", stream_path(source)),
        *("--repository", work.repository, "--content", work.repository),
        *(("--releases", work.releases) if work.releases else ()),
        *("--result-snapshot", _SNAPSHOT_FILE, *registries),
    )
    build = (
        *("build", "--engine", "tekton", "--namespace", work.namespace),
        *("--repository", work.repository, "--service-account", BUILDER),
        *("--image", settings.image, "--pod-security", settings.profile.value),
        *(("--credentials", settings.credentials) if settings.credentials else ()),
        *(("--trust", settings.trust) if settings.trust else ()),
        *(("--jobs", str(work.jobs)) if work.jobs else ()),
        *registries,
    )
    release = ("step", "release", "--repository", work.repository, *registries)
    lines = [
        "set -eu",
        shlex.join((PROGRAM, *snapshot)),
        f'read -r snapshot <{_SNAPSHOT_FILE} || test -n "$snapshot"',
        f'{shlex.join((PROGRAM, *build))} --snapshot "$snapshot"',
    ]
    if work.makes_releases:
        lines.append(f'{shlex.join((PROGRAM, *release))} --snapshot "$snapshot"')
    pod = plain_pod(("\n".join(lines),), settings)
    container = msgspec.structs.replace(pod.container, command=("sh", "-c"))
    return msgspec.structs.replace(pod, container=container)


def follower_pod(
    source: StreamSource, settings: ToolSettings, *, options: Iterable[str]
) -> ToolPod:
    """The pod that deploys the stream as its repository has it now; it needs no credentials."""
    words = ("deploy", "tekton", stream_path(source), "--yes", *options)
    return plain_pod(words, msgspec.structs.replace(settings, credentials="", trust=""))


def stream_path(source: StreamSource) -> str:
    """Where a pod has the stream's folder."""
    return f"{STREAM_FOLDER}/{source.folder}" if source.folder else STREAM_FOLDER


def _run(
    pod: ToolPod, source: StreamSource, *, account: str, uses_api: bool, metadata: Metadata
) -> TriggeredRun:
    container = pod.container
    return TriggeredRun(
        api_version="tekton.dev/v1",
        kind="TaskRun",
        metadata=metadata,
        spec=TaskRunSpec(
            params=tuple(
                Parameter(name=name, value=f"$(tt.params.{name})") for name in _EVENT_VALUES
            ),
            service_account_name=account,
            timeout="24h0m0s",
            pod_template=TaskPodTemplate(
                security_context=pod.rights.pod if pod.rights.pod != PodSecurity() else None,
                host_users=pod.rights.host_users,
                automount_service_account_token=None if uses_api else False,
                enable_service_links=False,
            ),
            task_spec=TaskSpec(
                params=tuple(DeclaredParameter(name=name) for name in _EVENT_VALUES),
                steps=(_step(_FETCH, _fetching(container, source)), _step("build", container)),
                volumes=pod.volumes,
            ),
        ),
    )


def _fetching(container: ToolContainer, source: StreamSource) -> ToolContainer:
    """The same container with git in place of the tool, and without what only builds need."""
    branch = ("--branch", source.ref) if source.ref else ()
    security = msgspec.structs.replace(
        container.security,
        privileged=None,
        allow_privilege_escalation=False,
        capabilities=Capabilities(drop=("ALL",)),
        seccomp_profile=SeccompProfile(type="RuntimeDefault"),
    )
    return msgspec.structs.replace(
        container,
        security=security,
        command=("git",),
        arguments=(
            *("clone", "--quiet", "--depth", "1", *branch),
            *("--", source.url, STREAM_FOLDER),
        ),
        environment=(
            *container.environment,
            EnvironmentVariable(name="GIT_TERMINAL_PROMPT", value="0"),
        ),
    )


def _container(name: str, container: ToolContainer) -> Container:
    return Container(
        name=name,
        image=container.image,
        command=container.command,
        args=container.arguments,
        env=container.environment,
        resources=container.requirements,
        security_context=container.security,
        volume_mounts=container.mounts,
    )


def _step(name: str, container: ToolContainer) -> Step:
    return Step(
        name=name,
        image=container.image,
        command=container.command,
        args=container.arguments,
        env=container.environment,
        compute_resources=container.requirements,
        security_context=container.security,
        volume_mounts=container.mounts,
        working_dir=container.folder,
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
