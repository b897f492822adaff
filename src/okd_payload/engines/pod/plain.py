# SPDX-License-Identifier: Apache-2.0
"""A whole pod that runs one command of the tool and builds nothing, for whoever makes pods.

It has no rights in the cluster and none on its node; it writes to its work folder and nowhere
else. Namespaces that enforce the restricted level of pod security let it in. No user is named:
that of the image is an ordinary one, and OpenShift gives each namespace users of its own, which
its default constraints insist on.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from okd_payload.engines.pod.objects import Container, PodSpec
from okd_payload.engines.pod.tool import ToolSettings, plain_pod, registry_words

CONTAINER = "okd-payload"


def plain_pod_spec(
    arguments: Sequence[str], settings: ToolSettings, *, service_account: str = ""
) -> PodSpec:
    """The pod that runs ``arguments``, with the options by which it reaches registries."""
    tool = plain_pod((*arguments, *registry_words(settings)), settings)
    container = Container(
        name=CONTAINER,
        image=tool.container.image,
        command=tool.container.command,
        args=tool.container.arguments,
        env=tool.container.environment,
        working_dir=tool.container.folder,
        volume_mounts=tool.container.mounts,
        resources=tool.container.requirements,
        security_context=msgspec.structs.replace(
            tool.container.security, read_only_root_filesystem=True
        ),
        termination_message_policy="FallbackToLogsOnError",
    )
    return PodSpec(
        containers=(container,),
        volumes=tool.volumes,
        security_context=msgspec.structs.replace(
            tool.rights.pod, run_as_user=None, run_as_group=None, fs_group=None
        ),
        restart_policy="Never",
        service_account_name=service_account,
        automount_service_account_token=False,
    )
