# SPDX-License-Identifier: Apache-2.0
"""The tool in a pod: image, command, folders, rights and credentials, the same for every engine.

What is said here is neither Tekton's nor Shipwright's: each puts these parts into objects of its
own. Credentials are a Secret of the namespace that is mounted as a file; no object of ours ever
holds their content. All that is written goes to one volume that ends with the pod.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from okd_payload.catalog.component import Resources
from okd_payload.engines.pod.image import DEFAULT_IMAGE
from okd_payload.engines.pod.objects import (
    ConfigMapFiles,
    Container,
    ContainerSecurity,
    EmptyDirectory,
    EnvironmentVariable,
    KeyToPath,
    Requirements,
    SecretFiles,
    Volume,
    VolumeMount,
)
from okd_payload.engines.pod.resources import DEFAULT_RESOURCES, SMALL_RESOURCES, requirements_of
from okd_payload.engines.pod.security import (
    PodRights,
    SecurityProfile,
    build_rights,
    plain_rights,
)

PROGRAM = "okd-payload"
WORK_FOLDER = "/work"
CREDENTIALS_FOLDER = "/credentials"
GIT_CREDENTIALS_FOLDER = "/git-credentials"
TRUST_FOLDER = "/trust"
_WORK, _CREDENTIALS, _GIT_CREDENTIALS, _TRUST = "work", "credentials", "git-credentials", "trust"
_DOCKER_CONFIG_KEY = ".dockerconfigjson"
_AUTH_FILE = "config.json"
GIT_CREDENTIALS_KEY = ".git-credentials"
"""The entry of the Secret that ``git_credentials`` names: git's own file, a line for each host."""
_GIT_HELPER = (
    f'!f() {{ test "$1" != get || git credential-store '
    f"--file={GIT_CREDENTIALS_FOLDER}/{GIT_CREDENTIALS_KEY} get; }}; f"
)
"""Answers and never stores, because the folder cannot be written to."""
TRUST_KEY = "ca.crt"
"""The entry of the ConfigMap that ``trust`` names: certificates in PEM."""


class ToolSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How this cluster's pods run the tool."""

    image: str = DEFAULT_IMAGE
    profile: SecurityProfile = SecurityProfile.USER_NAMESPACE
    credentials: str = ""
    """A Secret of type ``kubernetes.io/dockerconfigjson`` for all registries; empty for none."""
    git_credentials: str = ""
    """A Secret with ``.git-credentials`` for private repositories; empty for none."""
    trust: str = ""
    """A ConfigMap whose ``ca.crt`` has further roots to trust; empty for none."""
    plain_http: tuple[str, ...] = ()
    """Registry hosts that are spoken to without TLS."""
    defaults: Resources = DEFAULT_RESOURCES
    """Of components that do not say what they need."""


class ToolContainer(msgspec.Struct, frozen=True, kw_only=True):
    """One container that runs the tool."""

    image: str
    command: tuple[str, ...]
    arguments: tuple[str, ...]
    environment: tuple[EnvironmentVariable, ...]
    mounts: tuple[VolumeMount, ...]
    requirements: Requirements
    security: ContainerSecurity
    folder: str = WORK_FOLDER


class ToolPod(msgspec.Struct, frozen=True, kw_only=True):
    """A pod with one container that runs the tool."""

    container: ToolContainer
    volumes: tuple[Volume, ...]
    rights: PodRights


def build_pod(
    arguments: Sequence[str],
    settings: ToolSettings,
    *,
    resources: Resources | None = None,
    enlarged: int = 0,
) -> ToolPod:
    """A pod that builds images. Raises InputError for ``resources`` that are no quantities.

    ``enlarged`` says how often the same build ran out of memory before.
    """
    needed = requirements_of(
        resources or Resources(), defaults=settings.defaults, enlarged=enlarged
    )
    return _pod(arguments, settings, needed, build_rights(settings.profile))


def plain_pod(arguments: Sequence[str], settings: ToolSettings) -> ToolPod:
    """A pod that runs the tool and builds nothing."""
    return _pod(arguments, settings, requirements_of(SMALL_RESOURCES), plain_rights())


def make_container(name: str, container: ToolContainer) -> Container:
    """The same container under ``name``, for a pod that Kubernetes itself makes.

    Where it leaves no message at its end, its last lines are one.
    """
    return Container(
        name=name,
        image=container.image,
        command=container.command,
        args=container.arguments,
        env=container.environment,
        working_dir=container.folder,
        volume_mounts=container.mounts,
        resources=container.requirements,
        security_context=container.security,
        termination_message_policy="FallbackToLogsOnError",
    )


def registry_words(settings: ToolSettings) -> tuple[str, ...]:
    """The options by which a command in a pod reaches registries; credentials need none."""
    trusted = ("--certificate-authority", f"{TRUST_FOLDER}/{TRUST_KEY}") if settings.trust else ()
    plain = [word for host in settings.plain_http for word in ("--plain-http", host)]
    return (*trusted, *plain)


def tool_environment(settings: ToolSettings) -> tuple[EnvironmentVariable, ...]:
    """The variables of every container: all folders in the work volume, no colours."""
    variables = {
        "HOME": f"{WORK_FOLDER}/home",
        "NO_COLOR": "1",
        "OKD_PAYLOAD_CACHE": f"{WORK_FOLDER}/cache",
        "OKD_PAYLOAD_STATE": f"{WORK_FOLDER}/state",
        "TMPDIR": WORK_FOLDER,
    }
    if settings.credentials:
        variables["REGISTRY_AUTH_FILE"] = f"{CREDENTIALS_FOLDER}/{_AUTH_FILE}"
    variables |= git_variables(settings)
    return tuple(
        EnvironmentVariable(name=name, value=value) for name, value in sorted(variables.items())
    )


def git_variables(settings: ToolSettings) -> dict[str, str]:
    """The variables by which git finds credentials, and gives each host only its own."""
    if not settings.git_credentials:
        return {}
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "credential.helper",
        "GIT_CONFIG_VALUE_0": _GIT_HELPER,
    }


def tool_mounts(settings: ToolSettings) -> tuple[VolumeMount, ...]:
    """Where every container sees the volumes."""
    mounts = [VolumeMount(name=_WORK, mount_path=WORK_FOLDER)]
    if settings.credentials:
        mounts.append(VolumeMount(name=_CREDENTIALS, mount_path=CREDENTIALS_FOLDER, read_only=True))
    if settings.git_credentials:
        mount = VolumeMount(
            name=_GIT_CREDENTIALS, mount_path=GIT_CREDENTIALS_FOLDER, read_only=True
        )
        mounts.append(mount)
    if settings.trust:
        mounts.append(VolumeMount(name=_TRUST, mount_path=TRUST_FOLDER, read_only=True))
    return tuple(mounts)


def tool_volumes(settings: ToolSettings) -> tuple[Volume, ...]:
    """The volumes of the pod."""
    volumes = [Volume(name=_WORK, empty_dir=EmptyDirectory())]
    if settings.credentials:
        items = (KeyToPath(key=_DOCKER_CONFIG_KEY, path=_AUTH_FILE),)
        files = SecretFiles(secret_name=settings.credentials, items=items)
        volumes.append(Volume(name=_CREDENTIALS, secret=files))
    if settings.git_credentials:
        items = (KeyToPath(key=GIT_CREDENTIALS_KEY, path=GIT_CREDENTIALS_KEY),)
        files = SecretFiles(secret_name=settings.git_credentials, items=items)
        volumes.append(Volume(name=_GIT_CREDENTIALS, secret=files))
    if settings.trust:
        trusted = (KeyToPath(key=TRUST_KEY, path=TRUST_KEY),)
        roots = ConfigMapFiles(name=settings.trust, items=trusted)
        volumes.append(Volume(name=_TRUST, config_map=roots))
    return tuple(volumes)


def _pod(
    arguments: Sequence[str], settings: ToolSettings, needed: Requirements, rights: PodRights
) -> ToolPod:
    return ToolPod(
        container=ToolContainer(
            image=settings.image,
            command=(PROGRAM,),
            arguments=tuple(arguments),
            environment=tool_environment(settings),
            mounts=tool_mounts(settings),
            requirements=needed,
            security=rights.container,
        ),
        volumes=tool_volumes(settings),
        rights=rights,
    )
