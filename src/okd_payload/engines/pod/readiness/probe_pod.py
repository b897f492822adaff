# SPDX-License-Identifier: Apache-2.0
"""The pod by which a cluster is tried out: one container of the tool, with the rights of a build.

It ends by itself, whatever becomes of whoever made it, and has no token for the API.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from okd_payload.engines.pod import labels
from okd_payload.engines.pod.objects import Container, PodSpec
from okd_payload.engines.pod.tool import ToolSettings, build_pod, registry_words

CONTAINER = "probe"
REPORT_FILE = "/dev/termination-log"
"""What is written there is part of the pod's state: no right to read logs is needed."""
PROBE_LABEL = labels.PREFIX + "probe"
_DOCTOR_ROLE = "doctor"


class _Written(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Base of all parts: what is not set is not written."""


class _Metadata(_Written, frozen=True, kw_only=True):
    name: str
    labels: Mapping[str, str]


class ProbePod(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The pod, as it is written."""

    api_version: str = "v1"
    kind: str = "Pod"
    metadata: _Metadata
    spec: PodSpec

    @property
    def name(self) -> str:
        """Its name, which is its label too."""
        return self.metadata.name

    @property
    def image(self) -> str:
        """The image that it runs."""
        return self.spec.containers[0].image

    def encode(self) -> bytes:
        """The pod as JSON."""
        return msgspec.json.encode(self)


def make_probe_pod(
    name: str,
    settings: ToolSettings,
    *,
    repository: str = "",
    service_account: str = "",
    seconds: int,
) -> ProbePod:
    """A pod that tries to build, and to use the repository if one is named, as builds would."""
    where = ("--repository", repository, *registry_words(settings)) if repository else ()
    tool = build_pod(("step", "probe", "--report", REPORT_FILE, *where), settings)
    container = Container(
        name=CONTAINER,
        image=tool.container.image,
        command=tool.container.command,
        args=tool.container.arguments,
        env=tool.container.environment,
        working_dir=tool.container.folder,
        volume_mounts=tool.container.mounts,
        resources=tool.container.requirements,
        security_context=tool.container.security,
        termination_message_policy="FallbackToLogsOnError",
    )
    marks = {
        labels.MANAGED_BY: labels.MANAGER,
        labels.ROLE: _DOCTOR_ROLE,
        PROBE_LABEL: name,
    }
    return ProbePod(
        metadata=_Metadata(name=name, labels=marks),
        spec=PodSpec(
            containers=(container,),
            volumes=tool.volumes,
            security_context=tool.rights.pod,
            active_deadline_seconds=seconds,
            restart_policy="Never",
            service_account_name=service_account,
            automount_service_account_token=False,
            host_users=tool.rights.host_users,
        ),
    )
