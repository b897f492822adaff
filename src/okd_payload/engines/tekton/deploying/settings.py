# SPDX-License-Identifier: Apache-2.0
"""What whoever deploys a stream may choose."""

from __future__ import annotations

import msgspec

from okd_payload.engines.pod.tool import ToolSettings
from okd_payload.engines.tekton.triggers.settings import ListenerChoice, Schedule, StreamSource


class DeploymentSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A namespace in which one stream is built."""

    stream: str
    namespace: str
    tool: ToolSettings = ToolSettings()
    repository: str = ""
    """Where the images of the stream are, reachable from pods."""
    releases: str = ""
    """Where releases go."""
    makes_releases: bool = True
    openshift: bool = False
    """Whether the cluster asks for security context constraints besides pod security."""
    namespaced_only: bool = False
    """Whether objects of the whole cluster are left as they are."""
    source: StreamSource | None = None
    """Where pods get the stream from; what starts by itself needs it."""
    schedule: Schedule | None = None
    """When the whole stream is built."""
    listener: ListenerChoice | None = None
    follow: Schedule | None = None
    """When the namespace is brought in line with the stream's repository."""
    jobs: int = 0
    """Builds at a time; 0 for the default."""
    follow_words: tuple[str, ...] = ()
    """The options of ``deploy tekton`` that make the same deployment again."""


def default_namespace(stream: str) -> str:
    """The namespace of ``stream`` where none is chosen."""
    return f"okd-payload-{stream}".lower().replace(".", "-").replace("_", "-")[:63].rstrip("-")
