# SPDX-License-Identifier: Apache-2.0
"""The pods that start by themselves: they fetch the stream from git, and run one command on it.

The stream is fetched by git itself, without a shell, so no name in it can be anything else than a
name. All else is the tool's own pod, as every engine has it.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable

import msgspec

from okd_payload.engines.pod.accounts import BUILDER
from okd_payload.engines.pod.objects import (
    Capabilities,
    EnvironmentVariable,
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
from okd_payload.engines.tekton.triggers.settings import StreamSource

STREAM_FOLDER = f"{WORK_FOLDER}/stream"
REPORT_FOLDER = f"{WORK_FOLDER}/report"
_SNAPSHOT_FILE = f"{WORK_FOLDER}/snapshot"


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
        *(("--git-credentials", settings.git_credentials) if settings.git_credentials else ()),
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


def proposal_pod(
    source: StreamSource, settings: ToolSettings, *, base_release: str, depth: int
) -> ToolPod:
    """The pod that builds a proposal on top of a release, and keeps what it made.

    It has no credentials and pushes nothing: strangers' code runs in it. Which commit of which
    repository it is, parameters of its run say.
    """
    alone = msgspec.structs.replace(settings, credentials="", git_credentials="")
    words = (
        *("build", stream_path(source)),
        *("--change", "$(params.repository)@$(params.commit)", "--depth", str(depth)),
        *("--from-release", base_release, "--report", REPORT_FOLDER),
        *registry_words(alone),
    )
    return build_pod(words, alone)


def follower_pod(
    source: StreamSource, settings: ToolSettings, *, options: Iterable[str]
) -> ToolPod:
    """The pod that deploys the stream as its repository has it now: all it asks for is git."""
    words = ("deploy", "tekton", stream_path(source), "--yes", *options)
    return plain_pod(words, msgspec.structs.replace(settings, credentials="", trust=""))


def stream_path(source: StreamSource) -> str:
    """Where a pod has the stream's folder."""
    return f"{STREAM_FOLDER}/{source.folder}" if source.folder else STREAM_FOLDER


def fetching(container: ToolContainer, source: StreamSource) -> ToolContainer:
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
