# SPDX-License-Identifier: Apache-2.0
"""The pod by which a cluster is tried out: one container of the tool, with the rights of a build.

It ends by itself, whatever becomes of whoever made it, and has no token for the API.
"""

from __future__ import annotations

from okd_payload.cluster.kinds import POD
from okd_payload.engines.manifests import Manifest, Metadata, encode_manifest
from okd_payload.engines.pod import labels
from okd_payload.engines.pod.objects import PodSpec
from okd_payload.engines.pod.tool import ToolSettings, build_pod, make_container, registry_words

CONTAINER = "probe"
REPORT_FILE = "/dev/termination-log"
"""What is written there is part of the pod's state: no right to read logs is needed."""
PROBE_LABEL = labels.PREFIX + "probe"
_DOCTOR_ROLE = "doctor"


class ProbePod(Manifest, frozen=True, kw_only=True):
    """The pod, as it is written."""

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
        return encode_manifest(self)


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
    marks = {
        labels.MANAGED_BY: labels.MANAGER,
        labels.ROLE: _DOCTOR_ROLE,
        PROBE_LABEL: name,
    }
    return ProbePod(
        api_version=POD.api_version,
        kind=POD.kind,
        metadata=Metadata(name=name, labels=marks),
        spec=PodSpec(
            containers=(make_container(CONTAINER, tool.container),),
            volumes=tool.volumes,
            security_context=tool.rights.pod,
            active_deadline_seconds=seconds,
            restart_policy="Never",
            service_account_name=service_account,
            automount_service_account_token=False,
            host_users=tool.rights.host_users,
        ),
    )
