# SPDX-License-Identifier: Apache-2.0
"""One thin way to a Kubernetes cluster: the ``Cluster`` protocol, and lightkube behind it.

Only this room imports lightkube, and only when a cluster is opened: the package takes longer to
load than most commands run. What objects mean is for those who ask for them; here they are JSON.
"""

from okd_payload.cluster.protocol import (
    Change,
    Cluster,
    ClusterReader,
    ClusterWriter,
    ObjectKind,
    ObjectList,
    WatchEvent,
)

__all__ = [
    "Change",
    "Cluster",
    "ClusterReader",
    "ClusterWriter",
    "ObjectKind",
    "ObjectList",
    "WatchEvent",
]
