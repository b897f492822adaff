# SPDX-License-Identifier: Apache-2.0
"""The kinds of OpenShift's build and image groups, in a simulated cluster.

OpenShift's own API servers serve these kinds, not definitions. Where its OpenAPI document is not
at hand they are served without schemas.
"""

from __future__ import annotations

from pathlib import Path

from okd_payload.cluster import kinds
from okd_payload.testing.kubernetes import SimulatedCluster

_KINDS = (
    kinds.BUILD_CONFIG,
    kinds.OPENSHIFT_BUILD,
    kinds.IMAGE_STREAM,
    kinds.IMAGE_STREAM_TAG,
)


def serve_openshift(cluster: SimulatedCluster, definitions: Path | None = None) -> None:
    """Let ``cluster`` have OpenShift's kinds, checked where ``definitions`` has the document."""
    if definitions is not None:
        cluster.install(definitions)
        return
    for kind in _KINDS:
        cluster.serve(kind, status=False)
