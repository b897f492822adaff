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

from okd_payload.engines.pod.objects import PodSpec
from okd_payload.engines.pod.tool import (
    PROGRAM,
    ToolSettings,
    make_container,
    plain_pod,
    registry_words,
)


def plain_pod_spec(
    arguments: Sequence[str], settings: ToolSettings, *, service_account: str = ""
) -> PodSpec:
    """The pod that runs ``arguments``, with the options by which it reaches registries."""
    tool = plain_pod((*arguments, *registry_words(settings)), settings)
    security = msgspec.structs.replace(tool.container.security, read_only_root_filesystem=True)
    container = msgspec.structs.replace(tool.container, security=security)
    return PodSpec(
        containers=(make_container(PROGRAM, container),),
        volumes=tool.volumes,
        security_context=msgspec.structs.replace(
            tool.rights.pod, run_as_user=None, run_as_group=None, fs_group=None
        ),
        restart_policy="Never",
        service_account_name=service_account,
        automount_service_account_token=False,
    )
