# SPDX-License-Identifier: Apache-2.0
"""What engines are opened with alike whose pods run the tool: Tekton's and Shipwright's."""

from __future__ import annotations

from okd_payload.build.plan import ComponentNode
from okd_payload.cli.engine_options import EngineOptions
from okd_payload.cli.session import Session
from okd_payload.engines.pod.image import choose_image
from okd_payload.engines.pod.security import SecurityProfile
from okd_payload.engines.pod.tool import ToolSettings
from okd_payload.oci.registry import RegistrySettings


def tool_settings(options: EngineOptions, registries: RegistrySettings) -> ToolSettings:
    """How pods run the tool. Raises InvalidReference."""
    return ToolSettings(
        image=choose_image(options.image),
        profile=SecurityProfile(options.pod_security),
        credentials=options.credentials,
        git_credentials=options.git_credentials,
        trust=options.trust,
        plain_http=tuple(sorted(registries.plain_http_hosts)),
    )


def forced_components(session: Session) -> frozenset[str]:
    """The names of the components that --force means: built although their images are there."""
    return frozenset(
        node.component.name
        for name, node in session.plan.nodes.items()
        if name in session.forced and isinstance(node, ComponentNode)
    )
